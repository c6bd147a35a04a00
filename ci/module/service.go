package main

import (
	"context"

	sdk "dagger.io/dagger"

	"dagger/tagline/internal/dagger"
)

// The ports of an IOC's two servers.
const (
	channelAccess = 5064
	pvAccess      = 5075
)

// serve is an IOC of the library as a service.
func serve(ctx context.Context, c *sdk.Container) (*dagger.Service, error) {
	mine, err := container(ctx, c)
	if err != nil {
		return nil, err
	}
	return asService(mine), nil
}

// asService starts the IOC of a container as a service. Only the port of Channel
// Access is waited for: a pvAccess server lets a connection that says nothing hold
// up all others.
func asService(c *dagger.Container) *dagger.Service {
	return c.WithExposedPort(channelAccess).
		WithExposedPort(pvAccess, dagger.ContainerWithExposedPortOpts{ExperimentalSkipHealthcheck: true}).
		AsService(dagger.ContainerAsServiceOpts{UseEntrypoint: true})
}
