package page

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/status"
)

// troubled is the IOC of aShift that ends again and again.
const troubled = "bl45p-mo-ioc-02"

// aShift serves a site as a person on shift finds it: every state there is, on
// four beamlines and a cluster that is silent.
func aShift(t *testing.T) (address string) {
	t.Helper()
	now := time.Now()
	ago := func(d time.Duration) time.Time { return now.Add(-d).Truncate(time.Second) }
	b := NewBoard(nil)
	put := func(l *line, since time.Duration, by promoted, change func(*reading), iocs ...status.IOC) {
		r := reading{
			place: place{"https://site", l.n.Name}, context: l.context, beamline: l.n.Beamline, namespace: l.n,
			read: now, promoted: by, status: &status.Status{
				Beamline: l.n.Beamline, Namespace: l.n.Name, Version: "2026.11.2", Since: ago(since), Instances: iocs,
			},
		}
		change(&r)
		b.put(r)
	}

	photons := newLine(t, "bl45p", troubled)
	photons.die(troubled, 4)
	tell(t, photons, ago)
	failing := well("bl45p-mo-ioc-02", "simstage", "ws452", time.Time{})
	failing.Pod, failing.Ready, failing.Restarts, failing.Ended = troubled+"-x", false, 4, "exit status 139"
	failing.Doing = "ended 4 times, last with exit status 139"
	restarted := well("bl45p-ea-ioc-01", "simcamera", "ws451", ago(12*time.Minute))
	restarted.Restarts, restarted.Ended = 1, "signal 9"
	put(photons, 50*time.Minute, promoted{By: "ajp on ws012", Approved: "kim, lee"},
		func(r *reading) { r.newer = "newer: 2026.11.3" },
		restarted, well("bl45p-ea-ioc-02", "simcamera", "ws451", ago(50*time.Minute)),
		well("bl45p-mo-ioc-01", "simstage", "ws452", ago(49*time.Minute)), failing)

	stage := newLine(t, "bl01t")
	drifted := well("bl01t-mo-ioc-01", "simstage", "ws011", ago(74*time.Hour))
	drifted.Drift = []string{"Deployment bl01t-mo-ioc-01: spec.template.spec.containers[ioc].image"}
	put(stage, 75*time.Hour, promoted{By: "kim on ws012", Override: "kim: the users wait for the new stage"},
		func(r *reading) {
			r.status.Hold = &ledger.Note{
				By: "kim on ws012", Since: ago(30 * time.Minute), Reason: "vacuum is being leak-tested",
			}
		},
		drifted, well("bl01t-mo-ioc-02", "simstage", "ws011", ago(74*time.Hour)))

	tests := newLine(t, "bl70t")
	stopped := well("bl70t-va-ioc-01", "simstage", "", time.Time{})
	stopped.Ready, stopped.Digest = false, ""
	stopped.Stopped = &ledger.Note{By: "lee on ws701", Reason: "pump is being replaced"}
	stopped.Doing = "stopped by lee on ws701: pump is being replaced"
	put(tests, 26*time.Hour, promoted{By: "lee on ws701"},
		func(r *reading) { r.status.Strays = []string{"netshoot-debug"} },
		stopped, well("bl70t-mo-ioc-01", "simstage", "ws701", ago(25*time.Hour)))

	beamTime, err := policy.Read("a policy", []byte("unsigned: a picture of the page\n"+
		"closed: [{why: user beam time, start: "+now.UTC().Format("2006-01-02")+"T00:00, zone: UTC, for: 48h}]\n"))
	require.NoError(t, err)
	put(newLine(t, "bl71t"), 9*24*time.Hour, promoted{By: "ajp on ws012", Approved: "lee"},
		func(r *reading) { r.rules = rules{policy: beamTime} },
		well("bl71t-ea-ioc-01", "simcamera", "ws711", ago(9*24*time.Hour)),
		well("bl71t-mo-ioc-01", "simstage", "ws711", ago(9*24*time.Hour)))
	b.put(reading{place: place{server: "context test-lab"}, context: "test-lab",
		failed: "looking for beamlines: Get https://kube.test-lab.example:6443: no route to host"})
	server := httptest.NewServer(NewServer(b, anyAddress))
	t.Cleanup(server.Close)
	return server.URL
}

// well returns an IOC that is well since a time.
func well(name, generic, node string, since time.Time) status.IOC {
	return status.IOC{
		Name: name, Version: "2026.11.2", IOC: "ioc-" + generic + " 1.0.0", Node: node, Ready: true, Since: since,
		Digest: string(digest(map[string]string{"simstage": "e6533d1e", "simcamera": "86aef4fa"}[generic])[:71]),
		Pod:    name + "-x", Doing: "ready", Drift: []string{},
	}
}

// tell writes a log, events and a past for the IOC that ends again and again.
func tell(t *testing.T, l *line, ago func(time.Duration) time.Time) {
	t.Helper()
	l.client.PrependReactor("get", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
		if a.GetSubresource() != "log" {
			return false, nil, nil
		}
		late := ago(8 * time.Minute).Format("2006/01/02 15:04:05")
		text := `#!/epics/ioc/bin/linux-x86_64/ioc
dbLoadDatabase("/epics/ioc/dbd/ioc.dbd")
ioc_registerRecordDeviceDriver(pdbbase)
drvAsynIPPortConfigure("STAGE", "172.23.45.12:4001")
dbLoadRecords("stage.db", "P=BL45P-MO-STAGE-02")
iocInit()
Starting iocInit
iocRun: All initialization complete
` + late + `.418 STAGE read: timeout after 2.0 s
ioc-run: the IOC was ended by signal 11 (segmentation fault)
`
		return true, &runtime.Unknown{Raw: []byte(text)}, nil
	})
	for n, said := range []string{
		"Pulled: Container image is already present on the machine", "Started: Container started",
		"BackOff: Back-off restarting failed container ioc",
	} {
		reason, message, _ := strings.Cut(said, ": ")
		_, err := l.client.CoreV1().Events(l.n.Name).Create(t.Context(), &corev1.Event{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("e", n)},
			Reason:     reason, Message: message, Count: int32(n + 1),
			InvolvedObject: corev1.ObjectReference{Name: troubled + "-x"},
			LastTimestamp:  metav1.NewTime(ago(time.Duration(9-n) * time.Minute)),
		}, metav1.CreateOptions{})
		require.NoError(t, err)
	}
	for _, e := range []ledger.Entry{
		{
			Time: ago(50 * time.Minute), By: "ajp on ws012", Did: "promote", Version: "2026.11.2",
			Verified: "verified 2m",
		},
		{
			Time: ago(20 * time.Minute), By: "ajp on ws012", Did: "restart", Instance: troubled,
			Reason: "stage does not move",
		},
	} {
		require.NoError(t, ledger.Append(t.Context(), l.n, e))
	}
}
