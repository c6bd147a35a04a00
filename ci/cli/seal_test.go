package cli_test

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	ggcr "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/plan"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// serve starts a registry for a transcript, in $TAGLINE_REGISTRY, and the same
// one behind a login, in $PRIVATE_REGISTRY.
func serve(e *testscript.Env) {
	h := ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0)))
	s := httptest.NewServer(h)
	e.Defer(s.Close)
	e.Setenv("TAGLINE_REGISTRY", strings.TrimPrefix(s.URL, "http://"))
	private := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "ada" || password != "of-a-test" {
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	}))
	e.Defer(private.Close)
	e.Setenv("PRIVATE_REGISTRY", strings.TrimPrefix(private.URL, "http://"))
}

// seal is a command of transcripts: seal TAG INSTANCE:PV=type,… … seals the
// release of a beamline at a tag. Its charts have random content.
func seal(ts *testscript.TestScript, neg bool, args []string) {
	ctx := context.Background()
	repo, err := tree.Open(ts.MkAbs("."))
	ts.Check(err)
	commit, err := repo.Resolve("refs/tags/" + args[0])
	ts.Check(err)
	files, err := repo.At(commit)
	ts.Check(err)
	assets, err := plan.Assets(files)
	ts.Check(err)
	t, err := assets.Resolve(args[0])
	ts.Check(err)
	prefix := ts.Getenv("TAGLINE_REGISTRY")
	rec := &record.Record{
		Schema:    record.Schema,
		Kind:      asset.Beamline,
		Asset:     t.Asset,
		Version:   t.Version,
		Tag:       assettest.Tag(args[0]),
		Commit:    commit,
		Namespace: string(t.Asset),
		Tool:      "test",
	}
	for _, arg := range args[1:] {
		inst, list, _ := strings.Cut(arg, ":")
		img, err := random.Image(16, 1)
		ts.Check(err)
		digest, err := img.Digest()
		ts.Check(err)
		at := prefix + "/charts/" + inst
		ref, err := name.NewDigest(at + "@" + digest.String())
		ts.Check(err)
		ts.Check(remote.Write(ref, img))
		check := record.Test{Name: "boot", Of: inst, Passed: true}
		for pv := range strings.SplitSeq(list, ",") {
			n, kind, _ := strings.Cut(pv, "=")
			check.PVs = append(check.PVs, record.PV{Name: n, Type: kind})
		}
		rec.Checks = append(rec.Checks, check)
		rec.Artifacts = append(
			rec.Artifacts,
			record.Artifact{
				Name:   "charts/" + inst,
				Type:   "chart",
				Ref:    asset.Ref(at + ":" + t.Version.OCITag()),
				Digest: asset.Digest(digest.String()),
			},
		)
		rec.Instances = append(
			rec.Instances,
			record.Instance{
				Name:     inst,
				Chart:    asset.Ref(ref.String()),
				Image:    asset.Ref(ref.String()),
				IOC:      assettest.Pin("ioc-a 1.0.0"),
				ProbePV:  "X",
				Protocol: "ca",
			},
		)
	}
	r, err := registry.New(prefix, registry.Options{})
	ts.Check(err)
	_, err = r.Seal(ctx, rec)
	ts.Check(err)
	if neg {
		ts.Fatalf("seal has no opposite")
	}
}
