package ledger

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// aCluster is a cluster that has ledgers, and says 403 to who looks in all
// namespaces where that is not allowed.
func aCluster(t *testing.T, mayLookEverywhere bool, ledgers ...*corev1.ConfigMap) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		list := corev1.ConfigMapList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMapList"}}
		place, one := strings.CutPrefix(strings.TrimSuffix(r.URL.Path, "/configmaps"), "/api/v1/namespaces/")
		for _, cm := range ledgers {
			if !one || cm.Namespace == place {
				list.Items = append(list.Items, *cm)
			}
		}
		w.Header().Set("Content-Type", "application/json")
		if !one && !mayLookEverywhere {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"apiVersion":"v1","kind":"Status","status":"Failure","reason":"Forbidden","code":403}`)
			return
		}
		_ = json.NewEncoder(w).Encode(list)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// access names contexts, each "name server namespace".
func access(t *testing.T, contexts ...string) cluster.Access {
	t.Helper()
	var clusters, names strings.Builder
	for _, c := range contexts {
		words := strings.Fields(c)
		fmt.Fprintf(&clusters, "- {name: %s, cluster: {server: '%s'}}\n", words[0], words[1])
		fmt.Fprintf(&names, "- {name: %[1]s, context: {cluster: %[1]s, namespace: %s}}\n", words[0], words[2])
	}
	text := "apiVersion: v1\nkind: Config\ncurrent-context: " + strings.Fields(contexts[0])[0] +
		"\nclusters:\n" + clusters.String() + "contexts:\n" + names.String()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return cluster.Access{Kubeconfig: file}
}

const nobodyListens = "http://127.0.0.1:1"

// reached are contexts and what they reach, in words.
func reached(t *testing.T, a cluster.Access) (words []string) {
	t.Helper()
	found, err := Reach(t.Context(), a)
	require.NoError(t, err)
	for _, r := range found {
		if r.Err != nil {
			require.Nil(t, r.Namespace)
			require.Equal(t, diag.Broken, diag.KindOf(r.Err))
			words = append(words, r.Context+": looking for beamlines failed")
			require.ErrorContains(t, r.Err, "looking for beamlines")
			continue
		}
		words = append(words, fmt.Sprintf("%s: %s in %s", r.Context, r.Namespace.Beamline, r.Namespace.Name))
	}
	return words
}

func TestReach(t *testing.T) {
	other := ran("bl05t", "bl05t")
	other.Name = "another"
	all := aCluster(t, true, ran("bl02t", "lab"), ran("bl01t", "bl01t"), other)
	own := aCluster(t, false, ran("bl03t", "bl03t"), ran("bl04t", "bl04t"))
	require.Equal(t, []string{"a: bl01t in bl01t", "a: bl02t in lab"}, reached(t, access(t, "a "+all+" x")))
	require.Equal(
		t, []string{"a: bl01t in bl01t", "a: bl02t in lab"}, reached(t, access(t, "b "+all+" x", "a "+all+" z")),
		"two contexts of one cluster",
	)
	require.Equal(
		t, []string{"a: bl04t in bl04t"}, reached(t, access(t, "a "+own+" bl04t")),
		"who may not look in all namespaces sees the one of the context",
	)
	require.Equal(
		t, []string{"a: looking for beamlines failed", "b: bl03t in bl03t"},
		reached(t, access(t, "a "+nobodyListens+" x", "b "+own+" bl03t")), "a cluster that is down is told",
	)
	one := access(t, "a "+nobodyListens+" x", "b "+own+" bl03t")
	one.Context = "b"
	require.Equal(t, []string{"b: bl03t in bl03t"}, reached(t, one))
	_, err := Reach(t.Context(), cluster.Access{Kubeconfig: one.Kubeconfig + "none"})
	require.Equal(t, diag.Invalid, diag.KindOf(err))
}

func TestFind(t *testing.T) {
	all := aCluster(t, true, ran("bl01t", "lab"), ran("bl02t", "one"), ran("bl02t", "two"))
	for beamline, namespace := range map[string]string{"bl01t": "lab", "bl03t": "bl03t"} {
		found, err := Find(t.Context(), access(t, "a "+all+" x"), beamline)
		require.NoError(t, err)
		require.Equal(t, namespace, found)
	}
	_, err := Find(t.Context(), access(t, "a "+all+" x"), "bl02t")
	require.ErrorContains(
		t, err, "looking for the namespace of bl02t: it was promoted to one and two; say which with --namespace",
	)
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	found, err := Find(t.Context(), access(t, "a "+aCluster(t, false, ran("bl01t", "lab"))+" x"), "bl01t")
	require.NoError(t, err)
	require.Equal(t, "bl01t", found, "who may not look is taken to have a namespace of that name")
	_, err = Find(t.Context(), access(t, "a "+nobodyListens+" x"), "bl01t")
	require.ErrorContains(t, err, "looking for the namespace of bl01t: ")
	require.Equal(t, diag.Broken, diag.KindOf(err), "a cluster that is down does not pass for one without the beamline")
	_, err = Find(t.Context(), cluster.Access{Kubeconfig: t.TempDir() + "/none"}, "bl01t")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
}
