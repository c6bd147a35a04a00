// Package registry keeps releases in an OCI registry: content by digest, then
// tags, and the record last of all. A release exists when its record can be
// pulled, so the record is pushed after everything it names was found there.
package registry

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/registry/wire"
)

// Options configure how a registry is reached. The zero value uses the
// credentials of the Docker configuration, as docker and helm do.
type Options struct {
	Username string            // with Password, instead of the Docker configuration's
	Password string            // never shown, not even in an error
	HTTP     http.RoundTripper // how requests are sent; nil for the network
}

// Registry is one prefix of one OCI registry, below which a site's releases are
// kept. It is safe for concurrent use.
type Registry struct {
	prefix string
	host   string
	auth   authn.Authenticator // nil for that of the Docker configuration
	settle time.Duration       // how long another releaser may take to seal; see claim.go
	stall  time.Duration       // how long no byte may move
	// One of each, so that there is one login for each repository.
	puller  *remote.Puller
	pusher  *remote.Pusher
	options []remote.Option // of both
	// Content that was pushed by its digest and need not be looked for again:
	// v1.Image by "host/path/name@sha256:…".
	pushed sync.Map
}

// jobs is how many things are sent at once. Registries answer more with 429.
const jobs = 8

// New returns the registry at prefix: a host and port, then any folders, as in
// "127.0.0.1:5000" or "ghcr.io/some-org". Letters are lowered, because registries
// accept no capitals and GitHub's owners have them. A registry on this machine is
// reached by plain HTTP. No request is sent.
func New(prefix string, o Options) (*Registry, error) {
	r := &Registry{
		settle: 5 * time.Second,
		stall:  wire.MaxStall,
		prefix: strings.ToLower(strings.Trim(strings.TrimPrefix(prefix, "oci://"), "/")),
	}
	host, err := name.NewRegistry(strings.Split(r.prefix, "/")[0], name.StrictValidation)
	if err == nil {
		_, err = name.NewRepository(r.prefix+"/x", name.StrictValidation)
	}
	if err != nil || !strings.ContainsAny(host.Name(), ".:") || strings.HasPrefix(r.prefix, "http") {
		return nil, &diag.Error{
			Kind:  diag.Invalid,
			Doing: "reading registry",
			Asset: prefix,
			Err:   fmt.Errorf("not a registry's address"),
			Fix:   "write host and folder, as in ghcr.io/some-org or 127.0.0.1:5000",
		}
	}
	r.host = host.Name()
	return r, r.connect(o, remote.Backoff{Duration: time.Second, Factor: 2, Jitter: 0.2, Steps: 4})
}

// Prefix returns the address below which releases are kept, without a final slash.
func (r *Registry) Prefix() string { return r.prefix }

// Ref returns the address of name at a version: "<prefix>/<name>:<tag>".
// Names are "ioc-simstage-runtime", "charts/bl01t-mo-ioc-01", "records/bl01t".
func (r *Registry) Ref(name string, v asset.Version) asset.Ref {
	return asset.Ref(r.prefix + "/" + name + ":" + v.OCITag())
}

// At returns the address of what has name at a digest: "<prefix>/<name>@sha256:…".
func (r *Registry) At(name string, d asset.Digest) asset.Ref {
	return asset.Ref(r.prefix + "/" + name + "@" + string(d))
}

// Has reports whether an address is below this registry's prefix.
func (r *Registry) Has(ref asset.Ref) bool { return strings.HasPrefix(string(ref), r.prefix+"/") }

// RecordRef returns the address of an asset's record by its digest.
func (r *Registry) RecordRef(name asset.Name, d asset.Digest) asset.Ref {
	return r.At(recordName(name), d)
}

// recordName is what the records of an asset are called below the prefix.
func recordName(name asset.Name) string { return "records/" + string(name) }

// Exists reports whether ref, by tag or by digest, is in the registry.
func (r *Registry) Exists(ctx context.Context, ref asset.Ref) (bool, error) {
	d, err := r.head(ctx, ref)
	return d != nil, err
}

// Digest returns the digest, "sha256:…", of the manifest at ref. The error is
// ErrNotFound when there is none.
func (r *Registry) Digest(ctx context.Context, ref asset.Ref) (asset.Digest, error) {
	d, err := r.head(ctx, ref)
	if err != nil {
		return "", err
	}
	if d == nil {
		return "", missing(ref)
	}
	return asset.Digest(d.Digest.String()), nil
}

// head returns the descriptor of the manifest at ref, nil when there is none.
func (r *Registry) head(ctx context.Context, ref asset.Ref) (*v1.Descriptor, error) {
	if err := r.ours(ref); err != nil {
		return nil, err
	}
	parsed, err := name.ParseReference(string(ref), name.StrictValidation)
	if err != nil {
		return nil, badRef(ref, err)
	}
	d, err := r.puller.Head(ctx, parsed)
	if isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, r.fault("looking for", ref, err)
	}
	return d, nil
}

// connect makes the clients of the registry, which repeat requests that failed in
// passing. No request is sent yet.
func (r *Registry) connect(o Options, again remote.Backoff) (err error) {
	inner := o.HTTP
	if inner == nil {
		inner = remote.DefaultTransport
	}
	r.options = []remote.Option{
		remote.WithJobs(jobs),
		remote.WithTransport(wire.New(inner, r.stall)),
		remote.WithRetryBackoff(again),
	}
	if o.Username != "" || o.Password != "" {
		r.auth = &authn.Basic{Username: o.Username, Password: o.Password}
		r.options = append(r.options, remote.WithAuth(r.auth))
	} else {
		r.options = append(r.options, remote.WithAuthFromKeychain(authn.DefaultKeychain))
	}
	if r.puller, err = remote.NewPuller(r.options...); err != nil {
		return fmt.Errorf("opening registry %s: %w", r.prefix, err)
	}
	if r.pusher, err = remote.NewPusher(r.options...); err != nil {
		return fmt.Errorf("opening registry %s: %w", r.prefix, err)
	}
	return nil
}
