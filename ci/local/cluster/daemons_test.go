package cluster

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	storage "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/tagline-ci/tagline/ci/local/process"
	"github.com/tagline-ci/tagline/ci/local/state"
)

func testDaemons(t *testing.T) map[string]process.Daemon {
	t.Helper()
	c := testCluster(t)
	client := fake.NewClientset()
	all := map[string]process.Daemon{}
	for _, d := range []process.Daemon{
		c.etcd(), c.apiserver(client), c.controllers(client), c.scheduler(), c.volumes(), c.proxy(),
		c.first().daemon(client), c.lifecycle(), c.second().daemon(client),
	} {
		all[d.Name] = d
	}
	return all
}

func TestWhatIsStartedIsStopped(t *testing.T) {
	var names []string
	for name := range testDaemons(t) {
		names = append(names, name)
	}
	assert.ElementsMatch(t, daemons, names)
}

// flag returns the value of a flag of a command line; "" when it is not given.
func flag(args []string, name string) string {
	for _, a := range args {
		if value, ok := strings.CutPrefix(a, "--"+name+"="); ok {
			return value
		}
	}
	return ""
}

func TestNobodyBesidesTheAPIServerReachesEtcd(t *testing.T) {
	all := testDaemons(t)
	etcd, api := all[etcdDaemon].Args, all[apiDaemon].Args
	assert.True(t, strings.HasPrefix(flag(etcd, "listen-client-urls"), "unix:///"))
	assert.True(t, strings.HasPrefix(flag(etcd, "listen-peer-urls"), "unix:///"))
	assert.Equal(t, flag(etcd, "listen-client-urls"), flag(api, "etcd-servers"))
}

func TestTheAPIServerAsksWhoIsThere(t *testing.T) {
	args := testDaemons(t)[apiDaemon].Args
	assert.Equal(t, "Node,RBAC", flag(args, "authorization-mode"))
	assert.Equal(t, "false", flag(args, "anonymous-auth"))
	assert.Equal(t, "NodeRestriction", flag(args, "enable-admission-plugins"))
	assert.NotEqual(t, "6443", flag(args, "secure-port"), "a cluster of the machine has it")
}

func TestPodsStayOnANodeThatStopped(t *testing.T) {
	off := strings.Split(flag(testDaemons(t)[controllersDaemon].Args, "controllers"), ",")
	for _, controller := range []string{"-node-lifecycle-controller", "-taint-eviction-controller"} {
		assert.True(t, slices.Contains(off, controller), controller)
	}
	assert.Equal(t, "*", off[0], "all others run")
	on := flag(testDaemons(t)[lifecycleDaemon].Args, "controllers")
	assert.Equal(t, nodeControllers, on, "and none runs twice beside a second node")
}

func TestTheNodeRunsApart(t *testing.T) {
	for name, d := range testDaemons(t) {
		apart := name == nodeDaemon || name == secondDaemon
		assert.Equal(t, apart, d.Private != nil, "%s: what mounts and starts others is enclosed", name)
	}
}

func TestClaimsWithoutAClassGetAVolume(t *testing.T) {
	client := fake.NewClientset()
	for range 2 {
		require.NoError(t, ensureStorageClass(t.Context(), client))
	}
	class, err := client.StorageV1().StorageClasses().Get(t.Context(), storageClass, meta.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, "true", class.Annotations["storageclass.kubernetes.io/is-default-class"])
	args := testDaemons(t)[volumesDaemon].Args
	assert.Contains(t, args, "-provisioner="+class.Provisioner)
	assert.Contains(t, args, "-class="+class.Name)

	client.PrependReactor("create", "storageclasses", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(storage.Resource("storageclasses"), storageClass, nil)
	})
	assert.ErrorContains(t, ensureStorageClass(t.Context(), client), "making storage class local")
}

func TestAControlPlaneIsReadyWhenItHasAnAccountForPods(t *testing.T) {
	c := testCluster(t)
	assert.True(t, apierrors.IsNotFound(c.controllers(fake.NewClientset()).Ready(t.Context())))
	assert.ErrorContains(t, c.etcd().Ready(t.Context()), "no such file", "nobody listens yet")
}

func TestNothingThatRunsIsStopped(t *testing.T) {
	assert.NoError(t, Stop(t.Context(), state.Dir(t.TempDir())))
}

func TestAdminConfig(t *testing.T) {
	assert.Equal(t, "/var/lib/tagline/kube/admin.kubeconfig", AdminConfig("/var/lib/tagline"))
}
