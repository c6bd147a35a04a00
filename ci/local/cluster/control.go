package cluster

import (
	"context"
	"fmt"
	"strings"
	"time"

	storage "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tagline-ci/tagline/ci/local/process"
	"github.com/tagline-ci/tagline/ci/local/reach"
)

const (
	storageClass      = "local"
	volumeProvisioner = "tagline-ci.github.io/folders"
)

// client returns one that speaks to the API server as the administrator.
func (c cluster) client() (kubernetes.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", AdminConfig(c.Dir))
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(config)
}

func (c cluster) etcdSocket() string { return c.path("etcd", "sock") }

func (c cluster) kube(part string, flags ...string) []string {
	return append([]string{c.Bin + "/kube", part}, flags...)
}

// etcd listens at sockets that only root reaches: it asks nobody who they are.
// It wants an address for its peers, though there are none.
func (c cluster) etcd() process.Daemon {
	const unreachable = "http://localhost:1"
	return process.Daemon{
		Name: etcdDaemon,
		Args: c.kube("etcd", "--data-dir="+c.path("etcd", "data"), "--name="+FirstName,
			"--listen-client-urls=unix://"+c.etcdSocket(), "--advertise-client-urls="+unreachable,
			"--listen-peer-urls=unix://"+c.path("etcd", "peers"),
			"--initial-advertise-peer-urls="+unreachable, "--initial-cluster="+FirstName+"="+unreachable,
			"--heartbeat-interval=500", "--election-timeout=5000", // there is nobody to hurry for
			"--log-level=warn"),
		Ready: func(ctx context.Context) error { return reach.Socket(ctx, "unix", c.etcdSocket()) },
	}
}

func (c cluster) apiserver(client kubernetes.Interface) process.Daemon {
	return process.Daemon{
		Name:  apiDaemon,
		Limit: 2 * time.Minute,
		Args: c.kube("kube-apiserver",
			"--etcd-servers=unix://"+c.etcdSocket(),
			"--bind-address="+c.NodeIP, fmt.Sprintf("--secure-port=%d", apiPort),
			"--advertise-address="+c.NodeIP, "--endpoint-reconciler-type=none",
			"--service-cluster-ip-range="+serviceCIDR,
			"--authorization-mode=Node,RBAC", "--anonymous-auth=false",
			"--client-ca-file="+c.pki("ca.crt"),
			"--tls-cert-file="+c.pki("apiserver.crt"), "--tls-private-key-file="+c.pki("apiserver.key"),
			"--kubelet-certificate-authority="+c.pki("ca.crt"),
			"--kubelet-client-certificate="+c.pki("kubelet-client.crt"),
			"--kubelet-client-key="+c.pki("kubelet-client.key"),
			"--kubelet-preferred-address-types=InternalIP",
			"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
			"--service-account-key-file="+c.pki("service-accounts.key"),
			"--service-account-signing-key-file="+c.pki("service-accounts.key"),
			// A node that stopped with its cluster is not ill: see controllers.
			"--enable-admission-plugins=NodeRestriction",
			"--disable-admission-plugins=TaintNodesByCondition",
			"--allow-privileged",
			// What serves many clients and many servers only costs here.
			"--enable-priority-and-fairness=false", "--feature-gates=APIServerIdentity=false",
			"--etcd-count-metric-poll-period=0", "--profiling=false"),
		Ready: func(ctx context.Context) error {
			return client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
		},
	}
}

// nodeControllers say that a node is gone, and take its pods from it.
const nodeControllers = "node-lifecycle-controller,taint-eviction-controller"

// controllers leaves out what needs a cloud or a network, and what takes the pods
// from a node that does not answer: there is no other node, and after a restart
// they shall go on where they were. A second node brings it, see lifecycle.
func (c cluster) controllers(client kubernetes.Interface) process.Daemon {
	return process.Daemon{
		Name: controllersDaemon,
		Args: c.manager("*,-"+strings.ReplaceAll(nodeControllers, ",", ",-")+","+
			"-node-ipam-controller,-node-route-controller,-service-lb-controller,"+
			"-persistentvolume-attach-detach-controller,-persistentvolume-expander-controller,"+
			"-horizontal-pod-autoscaler-controller,-certificatesigningrequest-signing-controller,"+
			"-certificatesigningrequest-approving-controller,-certificatesigningrequest-cleaner-controller",
			"--pvclaimbinder-sync-period=1m"),
		Ready: func(ctx context.Context) error { // pods need it; making it is the controllers' work
			_, err := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", meta.GetOptions{})
			return err
		},
	}
}

// lifecycle has the controllers that a cluster of one node leaves out, with
// Kubernetes' own times: a node that was silent for 50 seconds is gone, and its pods
// are given up after 5 minutes, or when their tolerations say so.
func (c cluster) lifecycle() process.Daemon {
	return process.Daemon{
		Name:  lifecycleDaemon,
		Args:  c.manager(nodeControllers),
		Ready: func(context.Context) error { return nil }, // it serves nobody; a node that is gone shows it
	}
}

// manager is the command line of a controller manager that runs these controllers.
func (c cluster) manager(controllers string, more ...string) []string {
	return append(c.kube("kube-controller-manager",
		"--kubeconfig="+c.kubeconfig("controller-manager"),
		"--service-account-private-key-file="+c.pki("service-accounts.key"),
		"--root-ca-file="+c.pki("ca.crt"), "--use-service-account-credentials",
		"--controllers="+controllers, "--leader-elect=false", "--secure-port=0", "--profiling=false"), more...)
}

func (c cluster) scheduler() process.Daemon {
	return process.Daemon{
		Name: schedulerDaemon,
		Args: c.kube("kube-scheduler", "--kubeconfig="+c.kubeconfig("scheduler"),
			"--leader-elect=false", "--secure-port=0", "--profiling=false"),
		Ready: func(context.Context) error { return nil }, // it serves nobody; the first pod shows it
	}
}

// volumes gives claims their folders, see kube/volumes.go.
func (c cluster) volumes() process.Daemon {
	return process.Daemon{
		Name: volumesDaemon,
		Args: c.kube("volumes", "-kubeconfig="+AdminConfig(c.Dir), "-dir="+c.path("volumes"),
			"-provisioner="+volumeProvisioner, "-class="+storageClass),
		Ready: func(context.Context) error { return nil }, // likewise
	}
}

// ensureStorageClass makes the class that claims without a class belong to.
func ensureStorageClass(ctx context.Context, client kubernetes.Interface) error {
	_, err := client.StorageV1().StorageClasses().Create(ctx, &storage.StorageClass{
		ObjectMeta: meta.ObjectMeta{
			Name:        storageClass,
			Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"},
		},
		Provisioner: volumeProvisioner,
	}, meta.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("making storage class %s: %w", storageClass, err)
	}
	return nil
}
