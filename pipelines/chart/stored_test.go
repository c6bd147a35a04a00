package chart

import (
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	helm "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typed "k8s.io/client-go/kubernetes/typed/core/v1"
)

// secrets keeps the Secret that Helm makes.
type secrets struct {
	typed.SecretInterface
	made *corev1.Secret
}

func (s *secrets) Create(_ context.Context, made *corev1.Secret, _ metav1.CreateOptions) (*corev1.Secret, error) {
	s.made = made
	return made, nil
}

// noise returns bytes that don't compress.
func noise(size int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	content := make([]byte, size)
	for i := range content {
		content[i] = byte(random.Uint32())
	}
	return content
}

// What is measured is what Helm itself stores.
func TestStoredIsWhatHelmStores(t *testing.T) {
	for _, size := range []int{10, 300_000, 450_000} {
		c := &helm.Chart{Metadata: &helm.Metadata{Name: "x", Version: "1.0.0"},
			Files: []*helm.File{{Name: "config/big", Data: noise(size)}}}
		manifests := map[string]string{"x/templates/ioc.yaml": strings.Repeat("data: y\n", size)}
		got, err := stored(c, manifests)
		require.NoError(t, err)
		kept := &secrets{}
		made := &release.Release{Name: "x", Chart: c, Manifest: "---\n# Source: x/templates/ioc.yaml\n" +
			manifests["x/templates/ioc.yaml"] + "\n", Version: 1, Info: &release.Info{}}
		require.NoError(t, driver.NewSecrets(kept).Create("x", made))
		size := len(kept.made.Data["release"])
		require.GreaterOrEqual(t, got+room, size)
		if size > surelyStored {
			require.InDelta(t, size, got, room)
		}
	}
}

// Whatever a config folder has, Helm can store it; a chart of one's own may be too
// large.
func TestPackageRefusesWhatHelmCannotStore(t *testing.T) {
	bl, inst := stage(t)
	delete(inst.Config, "stage.db")
	inst.Config["table.bin"] = noise(256<<10 - len(inst.Config["st.cmd"]))
	require.False(t, inst.InImage())
	_, err := lib.Package(bl, inst, image, "2026.11.1")
	require.NoError(t, err)
	inst.Chart, inst.Own = true, map[string][]byte{
		"Chart.yaml": []byte("description: own\n"), "templates/own.yaml": fmt.Appendf(
			nil, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: %s}\n",
			base64.StdEncoding.EncodeToString(noise(450_000)),
		),
	}
	_, err = lib.Package(bl, inst, image, "2026.11.1")
	require.ErrorContains(t, err, "stored twice by Helm")
}
