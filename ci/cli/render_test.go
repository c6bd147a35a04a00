package cli_test

import (
	"context"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// sealCharts is a command of transcripts: sealcharts BEAMLINE VERSION [KEYFILE] seals
// a release of the beamline in the folder with the charts of its instances, signed with
// the key. Its instances run an image that is of no release.
func sealCharts(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("sealcharts has no opposite")
	}
	tree := os.DirFS(ts.MkAbs("."))
	bl, err := beamline.Read(tree, asset.Name(args[0]))
	ts.Check(err)
	library, err := chart.LibraryOf(tree)
	ts.Check(err)
	reg, err := registry.New(ts.Getenv("TAGLINE_REGISTRY"), registry.Options{})
	ts.Check(err)
	rec := &record.Record{
		Schema: record.Schema, Kind: asset.Beamline, Asset: asset.Name(args[0]), Version: assettest.Version(args[1]),
		Tag: assettest.Tag(args[0] + "/" + args[1]), Commit: strings.Repeat("0a", 20), Namespace: bl.Namespace,
		Tool: "test",
	}
	for _, inst := range bl.Instances {
		img, err := random.Image(16, 1)
		ts.Check(err)
		digest, err := img.Digest()
		ts.Check(err)
		image := reg.At(inst.Image.Asset.Image(asset.Runtime), asset.Digest(digest.String()))
		ref, err := name.NewDigest(string(image))
		ts.Check(err)
		ts.Check(remote.Write(ref, img))
		tgz, err := library.Package(bl, inst, string(image), args[1])
		ts.Check(err)
		pushed, err := reg.PushChart(context.Background(), tgz)
		ts.Check(err)
		rec.Artifacts = append(rec.Artifacts, pushed)
		rec.Instances = append(rec.Instances, record.Instance{
			Name: inst.Name, Chart: pushed.Pinned(), Image: image, IOC: inst.Image, ProbePV: "X", Protocol: "ca",
		})
		rec.Checks = append(rec.Checks, record.Test{
			Name: record.BootTest, Of: inst.Name, Digest: asset.Digest(digest.String()), Passed: true,
		})
	}
	if len(args) > 2 {
		key, err := sign.ReadKey([]byte(ts.ReadFile(args[2])), []byte(ts.Getenv("TAGLINE_KEY_PASSWORD")))
		ts.Check(err)
		ts.Check(attest.Signer{Registry: reg, By: key}.Record(context.Background(), rec))
	}
	_, err = reg.Seal(context.Background(), rec)
	ts.Check(err)
}
