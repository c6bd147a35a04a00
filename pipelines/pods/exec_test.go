package pods

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/streaming/pkg/httpstream/wsstream"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// command is what a stand-in for the kubelet does with one that is executed.
type command struct {
	out, errs string
	exit      int    // its exit status
	keys      string // that it was given
	asked     []string
	path      string
}

// pods is a namespace in which commands and consoles end as c says.
func (c *command) pods(t *testing.T) *cluster.Namespace { return served(t, http.HandlerFunc(c.run)) }

// served is the namespace of a cluster that answers as a handler does.
func served(t *testing.T, by http.Handler) *cluster.Namespace {
	t.Helper()
	server := httptest.NewServer(by)
	t.Cleanup(server.Close)
	config := &rest.Config{Host: server.URL}
	client, err := kubernetes.NewForConfig(config)
	require.NoError(t, err)
	return &cluster.Namespace{Name: "bl01t", Beamline: "bl01t", Config: config, Client: client}
}

// run answers a request to execute or to attach.
func (c *command) run(w http.ResponseWriter, r *http.Request) {
	c.path, c.asked = r.URL.Path, r.URL.Query()["command"]
	conn := wsstream.NewConn(map[string]wsstream.ChannelProtocolConfig{"v5.channel.k8s.io": {
		Binary: true, Channels: []wsstream.ChannelType{
			wsstream.ReadChannel, wsstream.WriteChannel, wsstream.WriteChannel, wsstream.WriteChannel,
			wsstream.ReadChannel,
		},
	}})
	_, streams, err := conn.Open(w, r)
	if err != nil {
		return // no WebSocket, which the client tells
	}
	defer conn.Close()
	if r.URL.Query().Get("stdin") == "true" {
		keys, _ := io.ReadAll(streams[0])
		c.keys = string(keys)
	}
	_, _ = io.WriteString(streams[1], c.out)
	_, _ = io.WriteString(streams[2], c.errs)
	_ = json.NewEncoder(streams[3]).Encode(c.status())
}

func (c *command) status() metav1.Status {
	if c.exit == 0 {
		return metav1.Status{Status: metav1.StatusSuccess}
	}
	return metav1.Status{
		Status: metav1.StatusFailure, Reason: "NonZeroExitCode",
		Message: fmt.Sprintf("command terminated with exit code %d", c.exit),
		Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: "ExitCode", Message: fmt.Sprint(c.exit)}}},
	}
}

var iocA = State{Instance: "a", Pod: "a-1", Container: "ioc"}

func TestReadPVAsksInsideThePod(t *testing.T) {
	c := &command{out: "5.25\n"}
	value, err := ReadPV(t.Context(), c.pods(t), iocA, "A:X", "pva")
	require.NoError(t, err)
	require.Equal(t, "5.25", value)
	require.Equal(t, "/api/v1/namespaces/bl01t/pods/a-1/exec", c.path)
	require.Equal(t, []string{"/epics/ioc-run/ioc-ask", "--value", "pva", "A:X"}, c.asked)

	_, err = ReadPV(t.Context(), (&command{out: " \n"}).pods(t), iocA, "A:X", "ca")
	require.ErrorContains(t, err, "the answer was empty")
	_, err = ReadPV(t.Context(), (&command{errs: "A:X does not answer\n", exit: 1}).pods(t), iocA, "A:X", "ca")
	require.ErrorContains(t, err, "exit code 1: A:X does not answer")
	_, err = ReadPV(t.Context(), (&command{exit: 1}).pods(t), iocA, "A:X", "ca")
	require.EqualError(t, err, "command terminated with exit code 1")
}

func TestSeverities(t *testing.T) {
	c := &command{out: "A:X MINOR\n"}
	found, err := Severities(t.Context(), c.pods(t), iocA, "ca", []string{"A:X", "A:Y"})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"A:X": "MINOR"}, found)
	require.Equal(t, []string{"/epics/ioc-run/ioc-ask", "--severity", "ca", "A:X", "A:Y"}, c.asked)

	_, err = Severities(t.Context(), (&command{errs: "usage: …", exit: usage}).pods(t), iocA, "ca", []string{"A:X"})
	require.EqualError(t, err, "its image is too old to tell alarm severities")
	_, err = Severities(t.Context(), (&command{errs: "no IOC listens", exit: 1}).pods(t), iocA, "ca", []string{"A:X"})
	require.ErrorContains(t, err, "no IOC listens")
}

// How a shell ended is the person's own doing; one that cannot be opened is told.
func TestShell(t *testing.T) {
	c := &command{out: "bye\r\n", exit: 3}
	var out bytes.Buffer
	require.NoError(t, Shell(t.Context(), c.pods(t), iocA, Terminal{In: strings.NewReader("exit 3\r"), Out: &out}))
	require.Equal(t, []string{"exit 3\r", "bye\r\n"}, []string{c.keys, out.String()})
	n := c.pods(t)
	n.Config = &rest.Config{Host: "http://127.0.0.1:1"}
	n.Client = kubernetes.NewForConfigOrDie(n.Config)
	err := Shell(t.Context(), n, iocA, Terminal{In: strings.NewReader(""), Out: &out})
	require.ErrorContains(t, err, "opening a shell in a: ")
	require.Equal(t, diag.Broken, diag.KindOf(err))
}

func TestConsoleJoinsTheIOCShell(t *testing.T) {
	c := &command{out: "epics> "}
	var out bytes.Buffer
	require.NoError(t, Console(t.Context(), c.pods(t), iocA, strings.NewReader("dbl\x03\r"), &out, nil))
	require.Equal(t, "/api/v1/namespaces/bl01t/pods/a-1/attach", c.path)
	require.Equal(t, []string{"dbl\r", "epics> "}, []string{c.keys, out.String()})
	require.NoError(t, Console(t.Context(), c.pods(t), iocA, strings.NewReader("\x1d"), &out, nil), "it was left")
	n := c.pods(t)
	n.Config = &rest.Config{Host: "http://127.0.0.1:1"}
	n.Client = kubernetes.NewForConfigOrDie(n.Config)
	require.ErrorContains(
		t, Console(t.Context(), n, iocA, strings.NewReader("dbl\r"), &out, nil), "joining the IOC shell of a",
	)
}

// The log of an IOC that has just been started again is empty: what it said before it ended counts.
func TestExplainShowsTheLogBeforeARestart(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/log") && r.URL.Query().Get("previous") == "true" {
			fmt.Fprint(w, "iocInit\nno such host moxa-7\n")
		}
	}))
	t.Cleanup(server.Close)
	n := &cluster.Namespace{Name: "bl01t", Client: kubernetes.NewForConfigOrDie(&rest.Config{Host: server.URL})}
	s := iocA
	require.Empty(t, Explain(t.Context(), n, s, io.EOF).Log, "it was not restarted")
	s.Restarts = 1
	require.Equal(t, []string{"iocInit", "no such host moxa-7"}, Explain(t.Context(), n, s, io.EOF).Log)
	s.Pod = ""
	require.Equal(t, &Trouble{Instance: "a", Err: io.EOF}, Explain(t.Context(), n, s, io.EOF))
}
