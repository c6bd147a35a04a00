package cli_test

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/cluster/clustertest"
	"github.com/tagline-ci/tagline/pipelines/helm"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pvs"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// runs is a command of transcripts: runs BEAMLINE INSTANCE… starts a cluster in
// memory, names it in $KUBECONFIG, and makes it run release 2026.11.1 of a beamline
// with these IOCs. Each serves the PV of its name, in capitals.
func runs(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: runs BEAMLINE INSTANCE…")
	}
	server := clustertest.Start(node(clustertest.Node), node("ws012"))
	ts.Defer(server.Close)
	file := ts.MkAbs("kubeconfig")
	ts.Check(os.WriteFile(file, []byte(server.Kubeconfig()), 0o600))
	ts.Setenv("KUBECONFIG", file)
	n, err := cluster.Open(cluster.Access{Kubeconfig: file}, args[0], args[0])
	ts.Check(err)
	lib, err := chart.ReadLibrary(os.DirFS("../../charts/ioc-lib"))
	ts.Check(err)
	rel := ledger.Release{
		Record: record.Record{
			Kind: asset.Beamline, Asset: asset.Name(args[0]), Version: assettest.Version("2026.11.1"),
			Tag: assettest.Tag(args[0] + "/2026.11.1"), Namespace: args[0],
		},
		Digest: asset.Digest("sha256:" + strings.Repeat("ab", 32)), Since: time.Now(),
	}
	ctx := context.Background()
	for _, name := range args[1:] {
		inst := record.Instance{
			Name: name, Chart: asset.Ref("host/charts/" + name + "@" + string(rel.Digest)),
			Image: asset.Ref("host/ioc-x-runtime@" + string(rel.Digest)), IOC: assettest.Pin("ioc-x 1.0.0"),
			ProbePV: strings.ToUpper(name), Protocol: "ca",
		}
		tgz, err := lib.Package(&beamline.Beamline{Name: asset.Name(args[0]), Namespace: args[0]}, &beamline.Instance{
			Name: name, Image: inst.IOC, Folder: "iocs/" + name, File: "iocs/" + name + "/values.yaml",
			Config: map[string][]byte{"st.cmd": []byte("iocInit\n")},
			Values: beamline.Values{ProbePV: inst.ProbePV, Memory: "32Mi", Autosave: "1Mi"},
		}, string(inst.Image), "2026.11.1")
		ts.Check(err)
		ts.Check(helm.Deploy(ctx, n, rel, inst, tgz, ledger.Override{}))
		rel.Record.Instances = append(rel.Record.Instances, inst)
		rel.Record.Checks = append(rel.Record.Checks, record.Test{
			Name: record.BootTest, Of: name, Passed: true, PVs: []record.PV{{Name: inst.ProbePV, Type: "ai"}},
		})
	}
	ts.Check(pvs.Save(ctx, n, rel.Digest, pvs.Of(&rel.Record), nil))
	l := &ledger.Ledger{}
	l.Push(rel)
	ts.Check(l.Save(ctx, n))
}

// scaled is a command of transcripts: scaled BEAMLINE INSTANCE takes the pod of an IOC
// away, as somebody does by hand in the cluster that $KUBECONFIG names.
func scaled(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: scaled BEAMLINE INSTANCE")
	}
	n, err := cluster.Open(cluster.Access{Kubeconfig: ts.Getenv("KUBECONFIG")}, args[0], args[0])
	ts.Check(err)
	_, err = n.Client.AppsV1().Deployments(n.Name).Patch(
		context.Background(), args[1], types.StrategicMergePatchType, []byte(`{"spec":{"replicas":0}}`),
		metav1.PatchOptions{},
	)
	ts.Check(err)
}

func node(name string) *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: corev1.NodeStatus{
		Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
	}}
}
