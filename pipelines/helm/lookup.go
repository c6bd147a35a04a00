package helm

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// looking is the way into the cluster for the templates of a chart, whose function lookup
// has the rights of whoever promotes. A template that reads a Secret could write it into a
// ConfigMap, or into the IOC's environment, and whoever releases would have it.
type looking struct {
	genericclioptions.RESTClientGetter
	namespace, instance string
	refused             *diag.Error // what was looked for and may not be; nil for nothing
}

// ToRESTConfig returns a config that reads what templates may see.
func (l *looking) ToRESTConfig() (*rest.Config, error) {
	config, err := l.RESTClientGetter.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(config.Host)
	if err != nil {
		return nil, err
	}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return lookup{next, strings.TrimSuffix(base.Path, "/"), l}
	})
	return config, nil
}

// lookup is the transport of templates.
type lookup struct {
	next http.RoundTripper
	base string // path of the API server's address
	*looking
}

// RoundTrip sends a request for what a template may see.
func (l lookup) RoundTrip(r *http.Request) (*http.Response, error) {
	path := strings.TrimPrefix(r.URL.Path, l.base)
	if r.Method == http.MethodGet && seen(path, l.namespace) {
		return l.next.RoundTrip(r)
	}
	l.refused = &diag.Error{
		Kind: diag.Refused, Doing: "deploying", Asset: l.instance,
		Err: fmt.Errorf("a template of its chart looks up %s", path),
		Fix: "let its templates look up nothing beyond the beamline's namespace, and no Secret there, and tag a new version",
	}
	return nil, errors.New("templates look up nothing there")
}

// seen reports whether templates may read a path of the API server: what it serves, and
// what is in a namespace, but no Secrets.
func seen(path, namespace string) bool {
	pieces := strings.Split(strings.Trim(path, "/"), "/")
	if slices.ContainsFunc(pieces, func(piece string) bool { return piece == "" || piece == "." || piece == ".." }) {
		return false
	}
	of := 3 // pieces before the resource: apis, group, version
	if pieces[0] == "api" {
		of = 2
	} else if pieces[0] != "apis" {
		return false
	}
	if len(pieces) <= of {
		return true
	}
	pieces = pieces[of:]
	return len(pieces) >= 3 && pieces[0] == "namespaces" && pieces[1] == namespace && pieces[2] != "secrets"
}
