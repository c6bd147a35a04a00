// Package chart makes Helm charts: one for each IOC instance of a beamline, all
// on the library chart ioc-lib, and the library chart itself.
//
// A chart is made of bytes alone: the same instance at the same version has
// the same archive, byte for byte, on any machine and at any hour. Helm's own
// packaging stamps the clock.
package chart

import (
	"github.com/Masterminds/semver/v3"

	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Package returns the chart of one IOC instance as a .tgz that Helm takes: the
// generated Chart.yaml, values and template, the instance's config folder, what
// chart files it has of its own, and the library chart below charts/.
//
// image is what an IOC runs, by digest: "host/path/name@sha256:…"; a service says itself
// what it runs. version is the tag's and must be SemVer, because Helm asks for it.
//
// The chart was rendered as Helm will render it, every manifest was read
// strictly, and Helm can store it, before it is given. Errors are diag.Error of kind Invalid, joined
// when there are several, and name the instance and the file.
//
// It may be called from many goroutines at once: Helm's charts may not be
// shared between them, so each call has its own.
func (l *Library) Package(bl *beamline.Beamline, inst *beamline.Instance, image, version string) ([]byte, error) {
	if err := checkVersion(inst.Name, version); err != nil {
		return nil, err
	}
	if err := checkConfig(inst); err != nil {
		return nil, err
	}
	files, err := instanceFiles(l, bl, inst, image, version)
	if err != nil {
		return nil, err
	}
	if err := check(files, bl, inst, version); err != nil {
		return nil, err
	}
	return archive(inst.Name, files)
}

// Archive returns the library chart itself at version, as a .tgz that Helm takes,
// for beamlines outside this repository. version is as for Package.
func (l *Library) Archive(version string) ([]byte, error) {
	if err := checkVersion(l.meta.Name, version); err != nil {
		return nil, err
	}
	files, err := l.withVersion(version)
	if err != nil {
		return nil, err
	}
	return archive(l.meta.Name, files)
}

// checkVersion refuses what Helm would refuse, or silently read as another version.
func checkVersion(name, version string) error {
	if _, err := semver.StrictNewVersion(version); err != nil {
		return &diag.Error{Kind: diag.Invalid, Doing: "packaging chart", Asset: name, Version: version, Err: err,
			Fix: "tag a SemVer version, as in 2026.11.1"}
	}
	return nil
}
