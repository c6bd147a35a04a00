package cli_test

import (
	"context"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/sign"
	"github.com/tagline-ci/tagline/pipelines/sign/signtest"
)

// TestAWorkflowSignsWhatItRenders runs a transcript at a Sigstore of the site's own, of real
// parts.
func TestAWorkflowSignsWhatItRenders(t *testing.T) {
	issuer := signtest.NewIssuer(t, signtest.Local)
	parts := signtest.Start(t, signtest.Local, issuer)
	issuer.RunFor("bl01t/2026.11.1")
	root, config := parts.Files(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/sigstore", RequireExplicitExec: true, RequireUniqueNames: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"sealcharts": sealCharts,
			"workflowsigned": func(ts *testscript.TestScript, neg bool, args []string) {
				workflowSigned(ts, neg, args, parts, issuer.URL)
			},
		},
		Setup: func(e *testscript.Env) error {
			serve(e)
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("TRUSTED_ROOT", root)
			e.Setenv("SIGNING_CONFIG", config)
			e.Setenv("ACTIONS_ID_TOKEN_REQUEST_URL", issuer.TokenURL())
			e.Setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", issuer.Secret)
			return nil
		},
	})
}

// workflowSigned is a command of transcripts: workflowsigned BEAMLINE VERSION fails unless
// what was rendered of a release has one signature, of the workflow of that release.
func workflowSigned(ts *testscript.TestScript, neg bool, args []string, parts *signtest.Sigstore, issuer string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: workflowsigned BEAMLINE VERSION")
	}
	ctx := context.Background()
	reg, err := registry.New(ts.Getenv("TAGLINE_REGISTRY"), registry.Options{})
	ts.Check(err)
	ref := reg.Ref("manifests/"+args[0], assettest.Version(args[1]))
	digest, err := reg.Digest(ctx, ref)
	ts.Check(err)
	list, err := reg.Attached(ctx, reg.At("manifests/"+args[0], digest), sign.MediaType, sign.Signature)
	ts.Check(err)
	if len(list) != 1 {
		ts.Fatalf("it has %d signatures", len(list))
	}
	sigstore, err := sign.ReadSigstore(parts.TrustedRoot, nil)
	ts.Check(err)
	trust, err := sigstore.Trust(signtest.Workflow, issuer)
	ts.Check(err)
	_, err = trust.Check(list[0], string(digest), sign.Signature, args[0]+"/"+args[1])
	ts.Check(err)
	_, err = trust.Check(list[0], string(digest), sign.Signature, args[0]+"/2026.11.9")
	if err == nil {
		ts.Fatalf("it passes for the workflow of another release")
	}
}
