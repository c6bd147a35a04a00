package pods

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A debugger is a container beside the IOC, of the image that is named by digest. It sees
// the IOC's processes, has no right that the IOC does not have, and is what the person's
// terminal joins.
func TestDebug(t *testing.T) {
	const image = "host/ioc-x-developer@sha256:1"
	shell, added := &command{out: "(gdb) "}, corev1.EphemeralContainer{}
	n := served(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pod := corev1.Pod{TypeMeta: metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"}}
		switch {
		case r.Method == http.MethodPatch:
			if !strings.HasSuffix(r.URL.Path, "/namespaces/bl01t/pods/a-1/ephemeralcontainers") {
				http.Error(w, r.URL.Path, http.StatusNotFound)
				return
			}
			_ = json.NewDecoder(r.Body).Decode(&pod)
			added = pod.Spec.EphemeralContainers[0]
		case strings.HasSuffix(r.URL.Path, "/pods/a-1"):
			pod.Status.EphemeralContainerStatuses = []corev1.ContainerStatus{{
				Name: added.Name, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
			}}
		default:
			shell.run(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(pod)
	}))
	var screen bytes.Buffer
	require.NoError(t, Debug(t.Context(), n, iocA, image, Terminal{In: strings.NewReader("bt\n"), Out: &screen}))
	require.Equal(t, "(gdb) ", screen.String())
	require.Equal(t, "bt\n", shell.keys)
	require.Equal(t, "/api/v1/namespaces/bl01t/pods/a-1/attach", shell.path)
	require.Equal(t, []string{image, "ioc"}, []string{added.Image, added.TargetContainerName})
	require.Equal(t, []corev1.Capability{"ALL"}, added.SecurityContext.Capabilities.Drop)
	require.False(t, *added.SecurityContext.AllowPrivilegeEscalation)
	require.Nil(t, added.SecurityContext.Privileged)
}

// What a person wants of a log is what the cluster is asked for.
func TestLogOptions(t *testing.T) {
	for query, o := range map[string]LogOptions{
		"container=ioc":                  {},
		"container=ioc&follow=true":      {Follow: true},
		"container=ioc&previous=true":    {Previous: true},
		"container=ioc&tailLines=5":      {Lines: 5},
		"container=ioc&sinceSeconds=600": {Since: 10 * time.Minute},
		"container=ioc&sinceSeconds=1":   {Since: time.Millisecond},
	} {
		asked := ""
		n := served(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			asked = r.URL.Query().Encode()
		}))
		require.NoError(t, Logs(t.Context(), n, []State{iocA}, o, func(string, string) {}))
		require.Equal(t, query, asked)
	}
}
