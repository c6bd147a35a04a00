package helm

import (
	"context"
	"io"
	"net/http"
	"sync"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"

	"github.com/tagline-ci/tagline/pipelines/cluster"
)

// within is the way into the cluster for what only reads: Helm ignores the context in most
// of its calls, so each of their requests ends with this one.
type within struct {
	genericclioptions.RESTClientGetter
	ctx context.Context
}

// reading returns a namespace whose Helm ends with ctx. What the cluster serves is asked
// for all that read, and not with it.
func reading(ctx context.Context, n *cluster.Namespace) *cluster.Namespace {
	bound := *n
	bound.Helm = within{n.Helm, ctx}
	return &bound
}

// ToRESTConfig returns a config whose requests end with the context.
func (w within) ToRESTConfig() (*rest.Config, error) {
	config, err := w.RESTClientGetter.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return ending{next, w.ctx} })
	return config, nil
}

// ending is the transport of requests that end with a context beside their own.
type ending struct {
	next http.RoundTripper
	ctx  context.Context
}

// RoundTrip sends a request that ends, as its answer does, with either context.
func (e ending) RoundTrip(r *http.Request) (*http.Response, error) {
	both, cancel := context.WithCancelCause(r.Context())
	stop := context.AfterFunc(e.ctx, func() { cancel(context.Cause(e.ctx)) })
	end := sync.OnceFunc(func() { stop(); cancel(nil) })
	answer, err := e.next.RoundTrip(r.WithContext(both))
	if err != nil {
		end()
		return nil, err
	}
	answer.Body = answerBody{answer.Body, end}
	return answer, nil
}

// answerBody is the body of an answer, with what is done once it was read.
type answerBody struct {
	io.ReadCloser
	end func()
}

// Close implements io.Closer.
func (b answerBody) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}
