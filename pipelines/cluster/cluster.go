// Package cluster holds one beamline's namespace in a Kubernetes cluster: its
// Helm releases, one per IOC instance, what they do, and what was deployed
// before.
package cluster

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Access says how a cluster is reached.
type Access struct {
	Kubeconfig string // file, or several as KUBECONFIG lists them
	Context    string // of the kubeconfig; empty for its current one
}

// Namespace is one beamline's namespace in a cluster. It is safe for use by
// several goroutines.
type Namespace struct {
	Name     string // "bl01t"
	Beamline string // whose IOCs run there: one namespace is one beamline

	config *rest.Config // without a time limit: it carries streams too
	client kubernetes.Interface
	meta   metadata.Interface
	getter *getter // Helm's way in
}

// requestTimeout bounds every request that Helm makes: it takes no context
// where it counts, so a cluster that stops answering must not hold it for ever.
const requestTimeout = 30 * time.Second

// Open gives the namespace of a beamline. Nothing is asked of the cluster yet.
// The error is of kind diag.Invalid when the kubeconfig cannot be used.
func Open(access Access, beamline, namespace string) (*Namespace, error) {
	rules := &clientcmd.ClientConfigLoadingRules{Precedence: filepath.SplitList(access.Kubeconfig)}
	if len(rules.Precedence) == 1 {
		rules.ExplicitPath = access.Kubeconfig // of several, those that are missing are passed over, as kubectl does
	}
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{
		CurrentContext: access.Context,
		Context:        clientcmdapi.Context{Namespace: namespace},
	})
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, &diag.Error{Kind: diag.Invalid, Doing: "reading the kubeconfig", Asset: access.Kubeconfig, Err: err,
			Fix: "name a kubeconfig and a context that reach the beamline's cluster"}
	}
	// The defaults of 5 requests a second would make a beamline of 50 IOCs crawl.
	config.QPS, config.Burst = 50, 100
	config.UserAgent = "tagline"
	config.WarningHandler = rest.NoWarnings{}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("opening the cluster of %s: %w", beamline, err)
	}
	meta, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("opening the cluster of %s: %w", beamline, err)
	}
	get, err := newGetter(config, loader)
	if err != nil {
		return nil, fmt.Errorf("opening the cluster of %s: %w", beamline, err)
	}
	return &Namespace{Name: namespace, Beamline: beamline, config: config, client: client, meta: meta, getter: get}, nil
}

// Ensure makes the namespace where it is missing.
func (n *Namespace) Ensure(ctx context.Context) error {
	_, err := n.client.CoreV1().Namespaces().Get(ctx, n.Name, metav1.GetOptions{})
	switch {
	case err == nil, apierrors.IsForbidden(err): // many may use a namespace and not look at it from outside
		return nil
	case !apierrors.IsNotFound(err):
		return n.broken("looking for namespace "+n.Name, err)
	}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: map[string]string{labelBeamline: n.Beamline}}}
	_, err = n.client.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return n.broken("making namespace "+n.Name, err)
	}
	return nil
}

// broken is a cluster that did not do what it was asked.
func (n *Namespace) broken(doing string, err error) error {
	fix := "see that the cluster is up and that the kubeconfig may do this, then run it again"
	return &diag.Error{Kind: diag.Broken, Doing: doing, Err: err, Fix: fix}
}
