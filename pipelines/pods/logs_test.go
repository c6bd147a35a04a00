package pods

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/tagline-ci/tagline/pipelines/cluster"
)

func TestEachLine(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	for name, c := range map[string]struct {
		text, grep string
		lines      []string
	}{
		"all":               {"one\r\ntwo\n\nthree", "", []string{"one", "two", "", "three"}},
		"those that match":  {"one\ntwo\nthree\n", "^t", []string{"two", "three"}},
		"a long line":       {long + "\nend\n", "", []string{long, "end"}},
		"nothing":           {"", "", nil},
		"nothing of a kind": {"one\n", "two", nil},
	} {
		t.Run(name, func(t *testing.T) {
			var grep *regexp.Regexp
			if c.grep != "" {
				grep = regexp.MustCompile(c.grep)
			}
			var lines []string
			require.NoError(t, eachLine(strings.NewReader(c.text), grep, func(l string) { lines = append(lines, l) }))
			require.Equal(t, c.lines, lines)
		})
	}
	broken := errors.New("hung up")
	require.ErrorIs(t, eachLine(iotest.ErrReader(broken), nil, func(string) {}), broken)
}

// One IOC without a pod does not hide the logs of the others.
func TestLogsOfSeveralIOCs(t *testing.T) {
	client := fake.NewClientset(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "a-1", Namespace: "bl01t"}})
	n := &cluster.Namespace{Name: "bl01t", Beamline: "bl01t", Client: client}
	var lines []string
	err := Logs(
		t.Context(), n,
		[]State{{Instance: "a", Pod: "a-1", Container: "ioc"}, {Instance: "b", Doing: "waiting for its pod"}},
		LogOptions{},
		func(instance, text string) { lines = append(lines, instance+": "+text) },
	)
	require.ErrorContains(t, err, "reading the log of b: it has no pod: waiting for its pod")
	require.Equal(t, []string{"a: fake logs"}, lines)
}
