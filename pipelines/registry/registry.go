// Package registry keeps releases in an OCI registry: content by its digest,
// then tags, and the record last of all. A release exists when its record can
// be pulled, so the record is pushed after everything it names was seen there.
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

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/version"
)

// Options say how to reach a registry. The zero value takes credentials from
// the Docker configuration, as docker and helm do.
type Options struct {
	Username string            // with Password, instead of the Docker configuration's
	Password string            // never shown, not even in an error
	HTTP     http.RoundTripper // how requests are sent; nil for the network
}

// Registry is one prefix of one OCI registry, below which everything of a site
// is kept. It may be used by many goroutines at once.
type Registry struct {
	prefix string
	host   string
	auth   authn.Authenticator // nil for that of the Docker configuration
	settle time.Duration       // how long another releaser may take to seal; see claim.go
	stall  time.Duration       // how long nothing may move; see stall.go
	// One of each, so that a repository is logged in to once.
	puller  *remote.Puller
	pusher  *remote.Pusher
	options []remote.Option // both were made with
	// What was pushed by its digest, which need not be looked for again: v1.Image
	// by "host/path/name@sha256:…".
	pushed sync.Map
}

// jobs is how many things are sent at once. Registries answer more with 429.
const jobs = 8

// New gives the registry at prefix: a host and port, then any folders, as in
// "127.0.0.1:5000" or "ghcr.io/some-org". Letters are lowered, because
// registries take no others and GitHub's owners have them. A registry on this
// machine is spoken to by plain HTTP.
func New(prefix string, o Options) (*Registry, error) {
	r := &Registry{settle: 5 * time.Second, stall: maxStall, prefix: strings.ToLower(strings.Trim(strings.TrimPrefix(prefix, "oci://"), "/"))}
	host, err := name.NewRegistry(strings.Split(r.prefix, "/")[0], name.StrictValidation)
	if err == nil {
		_, err = name.NewRepository(r.prefix+"/x", name.StrictValidation)
	}
	if err != nil || !strings.ContainsAny(host.Name(), ".:") || strings.HasPrefix(r.prefix, "http") {
		return nil, &diag.Error{Kind: diag.Invalid, Doing: "reading registry", Asset: prefix, Err: fmt.Errorf("not a registry's address"),
			Fix: "write host and folder, as in ghcr.io/some-org or 127.0.0.1:5000"}
	}
	r.host = host.Name()
	return r, r.connect(o, remote.Backoff{Duration: time.Second, Factor: 2, Jitter: 0.2, Steps: 4})
}

// Prefix gives the address below which everything is kept, without a final slash.
func (r *Registry) Prefix() string { return r.prefix }

// Ref gives the address of what has name at a version: "<prefix>/<name>:<tag>".
// Names are "ioc-simstage-runtime", "charts/bl01t-mo-ioc-01", "records/bl01t".
func (r *Registry) Ref(name string, v version.Version) string {
	return r.prefix + "/" + name + ":" + v.OCITag()
}

// Exists tells whether ref, by tag or by digest, is in the registry.
func (r *Registry) Exists(ctx context.Context, ref string) (bool, error) {
	d, err := r.head(ctx, ref)
	return d != nil, err
}

// Digest gives the digest, "sha256:…", of the manifest that ref names. What
// isn't there is ErrNotFound.
func (r *Registry) Digest(ctx context.Context, ref string) (string, error) {
	d, err := r.head(ctx, ref)
	if err != nil {
		return "", err
	}
	if d == nil {
		return "", missing(ref)
	}
	return d.Digest.String(), nil
}

// head gives the descriptor of what ref names, nil when it isn't there.
func (r *Registry) head(ctx context.Context, ref string) (*v1.Descriptor, error) {
	parsed, err := name.ParseReference(ref, name.StrictValidation)
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

// connect makes what speaks to the registry, and tries again what fails in
// passing. Nothing is sent yet.
func (r *Registry) connect(o Options, again remote.Backoff) (err error) {
	inner := o.HTTP
	if inner == nil {
		inner = remote.DefaultTransport
	}
	r.options = []remote.Option{remote.WithJobs(jobs), remote.WithTransport(&patient{inner: &moving{inner, r.stall}}), remote.WithRetryBackoff(again)}
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
