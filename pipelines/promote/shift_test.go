package promote_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	ggcr "github.com/google/go-containerregistry/pkg/registry"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/klog/v2"

	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/operate"
	"github.com/tagline-ci/tagline/pipelines/page"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/promote"
	"github.com/tagline-ci/tagline/pipelines/registry"
)

// TestAShiftAtThePage plays a night: an IOC dies, and the person on shift sees it
// on the page, finds it by a PV, reads its log, acknowledges it, restarts it, and rolls
// back with the registry stopped. Everybody has the rights of their role and no more.
func TestAShiftAtThePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	charts := httptest.NewServer(ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0))))
	defer charts.Close()
	var err error
	w.registry, err = registry.New(strings.TrimPrefix(charts.URL, "http://"), registry.Options{})
	require.NoError(t, err)
	users := w.grant()
	w.promote(w.release("2026.1.1", map[string]string{"a": answers, "b": answers}))
	w.promote(w.release("2026.1.2", map[string]string{"a": answers, "b": answers + "# 2\n"}))

	p := w.openPage()
	p.until("a well, b well")
	died := w.unplug("b")
	p.until(`b (not ready|restarted), a well`)
	require.Less(t, time.Since(died), 2*time.Second, "the one time that the page promises")
	p.until("b restarted, a well")

	found := p.beamline("?pv=B:X")
	require.Len(t, found.Instances, 1)
	require.Equal(t, "b", found.Instances[0].Name)
	require.Equal(t, "exit status 1", found.Instances[0].Ended)
	detail := p.ioc("b")
	require.Contains(t, strings.Join(detail.Former, "\n"), "moxa-7 hung up")
	require.Contains(t, strings.Join(detail.Commands, "\n"), "tagline restart "+w.line+" b ")
	read := p.pvs("b")
	require.Equal(t, "B:X", read.Values[0].Name)
	require.Regexp(t, `does not answer over Channel Access|serves none of them`, read.Failed,
		"the page's rights are enough to ask the IOC, which stands in for one and has no server")
	require.Contains(t, read.Command, "tagline find B:X")

	order := w.order("b")
	order.Cluster, order.Reason = w.open(w.as(users["operating"])), "it lost moxa-7"
	require.NoError(t, operate.Acknowledge(t.Context(), order, time.Hour))
	require.Eventually(t, func() bool {
		shown := p.beamline("?").Instances[0]
		return shown.Name == "b" && shown.Acknowledged != nil && shown.Acknowledged.Reason == order.Reason &&
			strings.Contains(shown.Acknowledged.Trouble.String(), "last after exit status 1")
	}, time.Minute, 50*time.Millisecond, "it stays where it was, and somebody knows")
	require.NoError(t, operate.Restart(t.Context(), order))
	p.until("a well, b well")
	charts.Close()
	deps := w.deps()
	deps.Cluster = w.open(w.as(users["promoting"]))
	r, err := promote.Rollback(w.ctx(), deps, "")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"a": promote.Unchanged, "b": promote.Restarted}, deeds(r))
	for _, i := range p.beamline("?").Instances {
		require.Nil(t, i.Acknowledged, "%s: it went with its trouble", i.Name)
	}

	now := p.beamline("?")
	require.Eventually(t, func() bool {
		now = p.beamline("?")
		return now.By == deps.Holder
	}, time.Minute, 50*time.Millisecond, "promoted by")
	require.Equal(t, "2026.1.1", now.Version)
	require.Equal(t, "rolled back from 2026.1.2", now.Hold.Reason)
	require.Contains(t, p.get("/metrics"), `beamline="`+w.line+`",context="`+now.Context+`",ioc="b"`)
	w.did("rollback", "restart", "acknowledge", "promote", "promote")
	detail = p.ioc("b")
	require.Len(t, detail.History, 5)
	require.Equal(t, "it lost moxa-7", detail.History[1].Reason)
}

// unplug makes an IOC die, and returns when the cluster knew.
func (w *world) unplug(instance string) time.Time {
	w.t.Helper()
	s := w.state(instance)
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	changes, err := w.client.CoreV1().Pods(w.namespace).Watch(
		ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + s.Pod},
	)
	require.NoError(w.t, err)
	defer changes.Stop()
	began := time.Now()
	if _, err := pods.Exec(ctx, w.cluster, s, "/epics/ioc/ioc", "--unplug"); err != nil {
		w.t.Log(err) // it may die with the IOC
	}
	for change := range changes.ResultChan() {
		if pod, ok := change.Object.(*corev1.Pod); ok && !pod.Status.ContainerStatuses[0].Ready {
			w.t.Logf("the cluster knew after %s", time.Since(began))
			return time.Now()
		}
	}
	w.t.Fatal("the cluster does not see that it died")
	return time.Time{}
}

// openedPage is the page of the world's beamline, as a person has it open.
type openedPage struct {
	*world
	address string
	rows    chan string // "b not ready, a well": the IOCs in the order of the page, after each change
}

// openPage serves the page with the rights of deploy/tagline-page, and opens it.
func (w *world) openPage() *openedPage {
	w.t.Helper()
	access := w.as(w.installPage())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(w.t, err)
	ctx, stop := context.WithCancel(context.Background())
	board := page.NewBoard(nil)
	klog.SetLogger(logr.Discard()) // as the command does: what cannot be read is on the page
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error {
		return board.Watch(
			ctx, func(ctx context.Context) ([]ledger.Reached, error) { return ledger.Reach(ctx, access) },
		)
	})
	both.Go(func() error { return page.Serve(ctx, listener, board) })
	p := &openedPage{w, "http://" + listener.Addr().String(), make(chan string, 1000)}
	both.Go(func() error { return p.listen(ctx) })
	w.t.Cleanup(func() {
		stop()
		require.NoError(w.t, both.Wait())
	})
	return p
}

// installPage grants the rights of deploy/tagline-page to its service account, and
// returns the name of that.
func (w *world) installPage() string {
	w.t.Helper()
	c, err := loader.LoadDir("../../deploy/tagline-page")
	require.NoError(w.t, err)
	values, err := chartutil.ToRenderValues(
		c, map[string]any{"image": w.image, "beamlines": []any{w.namespace}},
		chartutil.ReleaseOptions{Name: "page", Namespace: w.namespace}, nil,
	)
	require.NoError(w.t, err)
	files, err := engine.Render(c, values)
	require.NoError(w.t, err)
	rbac, who := w.client.RbacV1(), ""
	for document := range strings.SplitSeq(files["tagline-page/templates/page.yaml"], "\n---\n") {
		object, _, err := scheme.Codecs.UniversalDeserializer().Decode([]byte(document), nil, nil)
		require.NoError(w.t, err)
		switch o := object.(type) {
		case *corev1.ServiceAccount:
			who = "system:serviceaccount:" + w.namespace + ":" + o.Name
		case *rbacv1.ClusterRole:
			_, err = rbac.ClusterRoles().Create(w.t.Context(), o, metav1.CreateOptions{})
			w.t.Cleanup(func() { _ = rbac.ClusterRoles().Delete(context.Background(), o.Name, metav1.DeleteOptions{}) })
		case *rbacv1.ClusterRoleBinding:
			_, err = rbac.ClusterRoleBindings().Create(w.t.Context(), o, metav1.CreateOptions{})
			w.t.Cleanup(func() {
				_ = rbac.ClusterRoleBindings().Delete(context.Background(), o.Name, metav1.DeleteOptions{})
			})
		case *rbacv1.RoleBinding:
			_, err = rbac.RoleBindings(o.Namespace).Create(w.t.Context(), o, metav1.CreateOptions{})
		}
		require.NoError(w.t, err)
	}
	return who
}

// shownRow finds the name and the state of an IOC in the HTML of a beamline.
var shownRow = regexp.MustCompile(
	`<th scope="row"><a [^>]*>([^<]+)</a></th>\s*<td><span [^>]*><span [^>]*>[^<]*</span> ([^<]+)</span>`,
)

// listen reads what the server sends to the open page, until ctx ends.
func (p *openedPage) listen(ctx context.Context) error {
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, p.address+"/?beamline="+p.line, nil)
	if err != nil {
		return err
	}
	ask.Header.Set("Accept", "text/event-stream")
	answer, err := http.DefaultClient.Do(ask)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		text, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var change struct{ Changed map[string]string }
		if err := json.Unmarshal([]byte(text), &change); err != nil {
			return err
		}
		for _, html := range change.Changed {
			var rows []string
			for _, row := range shownRow.FindAllStringSubmatch(html, -1) {
				rows = append(rows, row[1]+" "+row[2])
			}
			p.rows <- strings.Join(rows, ", ")
		}
	}
	return nil
}

// until waits until the rows of the open page match.
func (p *openedPage) until(rows string) {
	p.t.Helper()
	want, late := regexp.MustCompile("^"+rows+"$"), time.After(time.Minute)
	for {
		select {
		case now := <-p.rows:
			p.t.Logf("the page shows: %s", now)
			if want.MatchString(now) {
				return
			}
		case <-late:
			p.t.Fatalf("the page did not come to show %s", rows)
		}
	}
}

// shownBeamline is a beamline in the page's JSON.
type shownBeamline struct {
	Context, Version, By, Failed string
	Hold                         *ledger.Note
	Instances                    []struct {
		Name, Ended  string
		Acknowledged *ledger.Acknowledgement
	}
}

// beamline returns the world's beamline at an address of the page, which must be
// able to read it.
func (p *openedPage) beamline(query string) shownBeamline {
	p.t.Helper()
	var view struct {
		Beamlines []shownBeamline
		Notes     []string
	}
	require.NoError(p.t, json.Unmarshal([]byte(p.get("/"+query+"&beamline="+p.line+"&format=json")), &view))
	require.Len(p.t, view.Beamlines, 1)
	require.Empty(p.t, view.Beamlines[0].Failed)
	require.Empty(p.t, view.Notes)
	return view.Beamlines[0]
}

// ioc returns the page of one IOC, of which everything must be readable.
func (p *openedPage) ioc(name string) (detail struct {
	Former, Commands, Unread []string
	History                  []ledger.Entry
}) {
	p.t.Helper()
	path, err := url.JoinPath("/iocs", p.beamline("?").Context, p.namespace, name)
	require.NoError(p.t, err)
	require.NoError(p.t, json.Unmarshal([]byte(p.get(path+"?format=json")), &detail))
	require.Empty(p.t, detail.Unread)
	return detail
}

// pvs returns what the page of an IOC shows of its PVs, when it is asked to.
func (p *openedPage) pvs(name string) *page.PVs {
	p.t.Helper()
	path, err := url.JoinPath("/iocs", p.beamline("?").Context, p.namespace, name)
	require.NoError(p.t, err)
	var detail struct{ PVs *page.PVs }
	require.NoError(p.t, json.Unmarshal([]byte(p.get(path+"?pvs=now&format=json")), &detail))
	require.NotNil(p.t, detail.PVs)
	require.NotEmpty(p.t, detail.PVs.Values)
	return detail.PVs
}

func (p *openedPage) get(path string) string {
	p.t.Helper()
	answer, err := http.Get(p.address + path)
	require.NoError(p.t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(p.t, err)
	require.Equal(p.t, http.StatusOK, answer.StatusCode, "%s: %s", path, body)
	return string(body)
}
