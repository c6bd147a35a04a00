package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"k8s.io/client-go/rest"
)

// Now returns what time it is by the clock of the cluster's API server, to the second.
// A policy is judged by it: closed times, holds, approvals and soak would be as wrong as
// the clock of whichever machine promotes.
func (n *Namespace) Now(ctx context.Context) (time.Time, error) {
	client, err := rest.HTTPClientFor(n.Config)
	if err != nil {
		return time.Time{}, fmt.Errorf("opening the cluster of %s: %w", n.Beamline, err)
	}
	ctx, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	base, _, err := rest.DefaultServerUrlFor(n.Config)
	if err != nil {
		return time.Time{}, fmt.Errorf("opening the cluster of %s: %w", n.Beamline, err)
	}
	address := strings.TrimSuffix(base.String(), "/") + "/version"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return time.Time{}, fmt.Errorf("opening the cluster of %s: %w", n.Beamline, err)
	}
	const doing = "asking the cluster what time it is"
	answer, err := client.Do(req)
	if err != nil {
		return time.Time{}, Broken(doing, err)
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10) // so that the connection can be used again
	now, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		return time.Time{}, Broken(doing, errors.New("its answer has no date"))
	}
	return now, nil
}
