package operate

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	ktest "k8s.io/client-go/testing"

	"github.com/tagline-ci/tagline/pipelines/cluster"
)

// later returns when some time is over and what was to happen in it has happened.
func later(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// Each of two people in a shell is told of the other, who comes and who leaves or is cut
// off. Somebody in another IOC's shell is none of their news.
func TestWhoIsInAShell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &cluster.Namespace{Name: "bl01t", Beamline: "bl01t", Client: fake.NewClientset()}
		var ada, bob []string
		attend := func(instance, who string, lines *[]string) func() {
			// Each at a moment of its own: the fake API takes what is out of date, so that of
			// two who write at the same moment one is lost.
			time.Sleep(time.Second)
			return Attend(t.Context(), n, instance, who, func(line string) { *lines = append(*lines, line) })
		}
		adaLeaves := attend("a", "ada", &ada)
		cyLeaves := attend("b", "cy", &ada)
		defer cyLeaves()
		require.Empty(t, ada)
		bobLeaves := attend("a", "bob", &bob)
		since := func(ago time.Duration) string { return time.Now().Add(-ago).Local().Format(time.DateTime) }
		require.Equal(t, []string{"ada is in this shell too, since " + since(2*time.Second) + "."}, bob)
		later(2*consoleTerm + time.Second)
		require.Equal(t, []string{"bob is in this shell too, since " + since(2*consoleTerm+time.Second) + "."}, ada,
			"and is told once")

		bobLeaves()
		later(consoleRenewal)
		require.Equal(t, []string{"bob has left this shell."}, ada[1:])
		require.Len(t, bob, 1)
		adaLeaves()
		time.Sleep(2 * consoleTerm)
		require.Len(t, ada, 2)
	})
}

// A console works without the right to say who is in it, and says so once.
func TestAShellWithoutTheRightToSayWhoIsInIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset()
		client.PrependReactor("create", "configmaps", func(ktest.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewForbidden(corev1.Resource("configmaps"), "tagline-consoles", nil)
		})
		n := &cluster.Namespace{Name: "bl01t", Beamline: "bl01t", Client: client}
		var lines []string
		leave := Attend(t.Context(), n, "a", "ada", func(line string) { lines = append(lines, line) })
		time.Sleep(2 * consoleTerm)
		leave()
		require.Len(t, lines, 1)
		require.Regexp(t, "^Who else is in this shell is not known: .*forbidden", lines[0])
	})
}
