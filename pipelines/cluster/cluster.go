// Package cluster opens one beamline's namespace in a Kubernetes cluster. The
// rooms that read and change it take what Open returns.
package cluster

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
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
	Beamline string // whose IOCs run there: a namespace holds one beamline

	Others []string // the other contexts of the kubeconfig, sorted: the beamline may be there

	Config   *rest.Config // without a time limit, because it carries streams too
	Client   kubernetes.Interface
	Metadata metadata.Interface // reads labels without the objects
	Helm     genericclioptions.RESTClientGetter

	loader clientcmd.ClientConfig
}

// LabelBeamline is the label that names the beamline of everything Tagline
// makes in a cluster.
const LabelBeamline = "tagline.beamline"

// RequestTimeout bounds every request that Helm makes: Helm ignores the context
// in most of its calls, so a cluster that stops answering would block it for ever.
const RequestTimeout = 30 * time.Second

// Open returns the namespace of a beamline. Nothing is asked of the cluster yet.
// The error is of kind diag.Invalid when the kubeconfig cannot be used.
func Open(access Access, beamline, namespace string) (*Namespace, error) {
	loader := access.loader(namespace)
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, access.unusable(err)
	}
	// The defaults of 5 requests a second would make a beamline of 50 IOCs crawl.
	config.QPS, config.Burst = 50, 100
	config.UserAgent = "tagline"
	config.WarningHandler = rest.NoWarnings{}
	n, err := open(config, loader, beamline, namespace)
	if raw, unreadable := loader.RawConfig(); err == nil && unreadable == nil {
		ours := cmp.Or(access.Context, raw.CurrentContext)
		others := slices.Sorted(maps.Keys(raw.Contexts))
		n.Others = slices.DeleteFunc(others, func(name string) bool { return name == ours })
	}
	return n, err
}

func (a Access) loader(namespace string) clientcmd.ClientConfig {
	rules := &clientcmd.ClientConfigLoadingRules{Precedence: filepath.SplitList(a.Kubeconfig)}
	if len(rules.Precedence) == 1 {
		rules.ExplicitPath = a.Kubeconfig // of several, those that are missing are skipped, as kubectl does
	}
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{
		CurrentContext: a.Context,
		Context:        clientcmdapi.Context{Namespace: namespace},
	})
}

// Contexts returns the contexts of the kubeconfig, sorted; only the one that a
// names where it names one. The error is of kind diag.Invalid when the kubeconfig
// cannot be read.
func (a Access) Contexts() ([]string, error) {
	raw, err := a.loader("").RawConfig()
	if err != nil {
		return nil, a.unusable(err)
	}
	if a.Context != "" {
		return []string{a.Context}, nil
	}
	return slices.Sorted(maps.Keys(raw.Contexts)), nil
}

// Namespace returns the namespace that the kubeconfig's context names, "default"
// where it names none.
func (a Access) Namespace() string {
	name, _, err := a.loader("").Namespace()
	if err != nil {
		return metav1.NamespaceDefault
	}
	return name
}

func (a Access) unusable(err error) error {
	return &diag.Error{Kind: diag.Invalid, Doing: "reading the kubeconfig", Asset: a.Kubeconfig, Err: err,
		Fix: "name a kubeconfig and a context that reach the beamline's cluster"}
}

func open(config *rest.Config, loader clientcmd.ClientConfig, beamline, namespace string) (*Namespace, error) {
	fail := func(err error) (*Namespace, error) {
		return nil, fmt.Errorf("opening the cluster of %s: %w", beamline, err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fail(err)
	}
	meta, err := metadata.NewForConfig(config)
	if err != nil {
		return fail(err)
	}
	getter, err := newGetter(config, loader)
	if err != nil {
		return fail(err)
	}
	return &Namespace{
		Name:     namespace,
		Beamline: beamline,
		Config:   config,
		Client:   client,
		Metadata: meta,
		Helm:     getter,
		loader:   loader,
	}, nil
}

// Ensure creates the namespace where it is missing.
func (n *Namespace) Ensure(ctx context.Context) error {
	_, err := n.Client.CoreV1().Namespaces().Get(ctx, n.Name, metav1.GetOptions{})
	switch {
	case err == nil, apierrors.IsForbidden(err): // many may use a namespace but not read the object
		return nil
	case !apierrors.IsNotFound(err):
		return Broken("looking for namespace "+n.Name, err)
	}
	ns := &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: map[string]string{LabelBeamline: n.Beamline}},
	}
	_, err = n.Client.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return Broken("creating namespace "+n.Name, err)
	}
	return nil
}

// Broken returns the error for a request that the cluster did not answer as it
// should. doing is a gerund and its object.
func Broken(doing string, err error) error {
	fix := "see that the cluster is up and that the kubeconfig may do this, then run it again"
	return &diag.Error{Kind: diag.Broken, Doing: doing, Err: err, Fix: fix}
}
