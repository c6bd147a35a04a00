// Package distconsts takes the place of the engine's own package of that
// name, which is part of its source tree but not of its published module. The
// engine reads from it where its helpers lie and what its images are called.
//
// The paths exist only inside the mount namespace that `tagline up` gives the
// engine, so they can be fixed here whatever the state directory is.
package distconsts

// Where the engine finds and keeps things.
const (
	// EngineContainerName names the engine's container on machines that have
	// a container runtime; unused natively, but compiled in.
	EngineContainerName = "tagline-engine"
	// DefaultEngineSockAddr is listened on when no address is given; `tagline
	// up` always gives one.
	DefaultEngineSockAddr = "unix:///run/dagger/engine.sock"
	// EngineDefaultStateDir holds layers and caches when no root is given.
	EngineDefaultStateDir = "/opt/tagline/state"
	// EngineContainerBuiltinContentDir is an OCI layout with the Go SDK.
	EngineContainerBuiltinContentDir = "/opt/tagline/content"
	// RuncPath is the OCI runtime: Debian's.
	RuncPath = "/usr/sbin/runc"
	// DaggerInitPath is process 1 of every container.
	DaggerInitPath = "/opt/tagline/bin/dagger-init"
	// EngineCustomCACertsDir holds certificates that are installed into every
	// container.
	EngineCustomCACertsDir = "/opt/tagline/ca-certificates"
)

// The environment variables that name each SDK's manifest in the content
// directory, and the annotation that names an engine image's version.
const (
	GoSDKManifestDigestEnvName         = "DAGGER_GO_SDK_MANIFEST_DIGEST"
	PythonSDKManifestDigestEnvName     = "DAGGER_PYTHON_SDK_MANIFEST_DIGEST"
	TypescriptSDKManifestDigestEnvName = "DAGGER_TYPESCRIPT_SDK_MANIFEST_DIGEST"
	OCIVersionAnnotation               = "org.opencontainers.image.version"
)

// The images that the engine names by itself: Alpine for `terminal` in a
// directory, the others in its own tests.
const (
	AlpineVersion  = "3.22.1"
	AlpineImage    = "alpine:" + AlpineVersion
	GolangVersion  = "1.25.1"
	GolangImage    = "golang:" + GolangVersion + "-alpine"
	BusyboxVersion = "1.37.0"
	BusyboxImage   = "busybox:" + BusyboxVersion
)
