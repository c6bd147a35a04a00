// Package tagline carries the assets of this repository, so that an installed
// command can show them at work where there is no checkout.
package tagline

import "embed"

// Assets holds the generic IOCs, the beamlines and the library chart, at the
// paths that they have in the repository.
//
//go:embed all:beamlines all:charts all:generic-iocs
var Assets embed.FS
