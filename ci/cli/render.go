package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/manifests"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// newRender is `tagline render`: a release for sites that deliver from git.
func newRender(a *app) *cobra.Command {
	s, trust, by, out := &site{}, &trusted{}, &signing{}, &rendering{}
	var digest string
	cmd := a.takes(&cobra.Command{
		Use:   "render BEAMLINE VERSION",
		Short: "Write the manifests of a release, for Argo CD and Flux",
		Long: "Verifies the record of a release and of what it runs, fetches each instance's chart by\n" +
			"digest, and renders it as a promotion would: a file for each instance, and a\n" +
			"kustomization.yaml. A folder that has files of an earlier rendering is brought up to\n" +
			"date; other files are left alone, and none is written over. With --git the folder is one\n" +
			"of a branch of that repository, and what changed is pushed there in one commit. With\n" +
			"--push the files are an OCI artifact, manifests/BEAMLINE in the registry, which is signed\n" +
			"where --sign-key, TAGLINE_KEY or --keyless says by whom. Without any of these, the\n" +
			"manifests of all instances go to stdout, and name no namespace.\n\n" +
			"No gate is asked, and Tagline knows nothing of what is delivered in this way: ask\n" +
			"tagline gate before.",
		Example: "  tagline render bl01t 2026.11.2 --key release.key.pub --to clusters/bl01t\n" +
			"  tagline render bl01t 2026.11.2 --key release.key.pub --to clusters/bl01t \\\n" +
			"    --git https://github.com/some-org/clusters --branch main\n" +
			"  tagline render bl01t 2026.11.2 --key release.key.pub --push --sign-key release.key\n" +
			"  tagline render bl01t 2026.11.2 --policy policy.yaml | kubectl diff -n bl01t -f -",
		RunE: func(cmd *cobra.Command, given []string) error {
			name, err := asset.ParseName(given[0])
			if err != nil {
				return err
			}
			v, err := asset.ParseVersion(given[1])
			if err != nil {
				return err
			}
			if out.by, err = a.rendersAs(cmd.Context(), by, trust, out); err != nil {
				return err
			}
			signers, err := a.trust(cmd.Context(), trust, true)
			if err != nil {
				return err
			}
			reg, err := a.openRegistry(cmd.Context(), s)
			if err != nil {
				return err
			}
			set, err := manifests.Read(cmd.Context(), reg, signers, name, v, asset.Digest(digest))
			if err != nil {
				return err
			}
			return a.deliver(cmd.Context(), set, reg, out)
		},
	}, beamlineArg, versionArg)
	s.flags(cmd)
	trust.flags(cmd)
	digestFlag(cmd, &digest)
	cmd.Flags().StringVar(&out.to, "to", "", "folder to write into (default stdout)")
	cmd.Flags().StringVar(&out.git, "git", "", "URL of the git repository that has the folder")
	cmd.Flags().StringVar(&out.branch, "branch", "", "its branch (default its own default branch)")
	cmd.Flags().BoolVar(&out.push, "push", false, "push the files to the registry as an OCI artifact")
	by.whoSigns(cmd, "sign-key", "the artifact")
	cmd.MarkFlagsMutuallyExclusive("push", "to")
	cmd.MarkFlagsMutuallyExclusive("push", "git")
	return cmd
}

// rendering is where manifests go to.
type rendering struct {
	to, git, branch string
	push            bool
	by              sign.Signer // of what is pushed; nil for nobody
}

// rendered is what became of a folder, a branch or an artifact.
type rendered struct {
	*manifests.Change
	Commit   string    `json:"commit,omitempty"`   // that was pushed
	Artifact asset.Ref `json:"artifact,omitempty"` // by digest
	Signed   bool      `json:"signed,omitempty"`   // the artifact, by us
}

// rendersAs returns who signs what is rendered; nil where nobody does. A Sigstore of
// one's own is the same for those who signed the release, where identities are trusted.
func (a *app) rendersAs(ctx context.Context, by *signing, trust *trusted, out *rendering) (sign.Signer, error) {
	if !out.push {
		if by.key == "" && !by.keyless && by.files.signingConfig == "" {
			return nil, nil
		}
		return nil, &diag.Error{
			Kind: diag.Invalid, Doing: "choosing who signs", Err: errors.New("only an artifact is signed"),
			Fix: "give --push too; what is delivered from git is signed there, as commits are",
		}
	}
	if by.keyless {
		by.files.trustedRoot = trust.files.trustedRoot
		if len(trust.identities) == 0 {
			trust.files = sigstoreFiles{}
		}
	}
	return a.signer(ctx, *by)
}

// deliver brings manifests to where they are wanted.
func (a *app) deliver(ctx context.Context, set *manifests.Set, reg *registry.Registry, out *rendering) (err error) {
	var done rendered
	switch {
	case out.branch != "" && out.git == "" || out.git != "" && out.to == "":
		return &diag.Error{
			Kind: diag.Invalid, Doing: "rendering " + string(set.Beamline),
			Err: errors.New("a branch is given by its repository and the folder in it"),
			Fix: "give --git URL --to FOLDER, and --branch NAME where it is not the default one",
		}
	case out.push:
		done.Artifact, err = set.Push(ctx, reg, out.by)
		done.Signed = out.by != nil
	case out.git != "":
		done.Change, done.Commit, err = a.commit(ctx, set, out)
	case out.to != "":
		done.Change, err = set.Write(out.to)
	default:
		return a.print(set, func(w io.Writer) error { _, err := io.WriteString(w, set.Stream()); return err })
	}
	if err != nil {
		return err
	}
	return a.print(done, func(w io.Writer) error { done.write(w); return nil })
}

// commit pushes manifests to a branch.
func (a *app) commit(ctx context.Context, set *manifests.Set, out *rendering) (*manifests.Change, string, error) {
	logins, err := a.gitLogins()
	if err != nil {
		return nil, "", err
	}
	auth, err := logins.Auth(out.git)
	if err != nil {
		return nil, "", err
	}
	return set.Commit(ctx, manifests.Branch{URL: out.git, Name: out.branch, Folder: out.to, Auth: auth})
}

// write shows what became of it.
func (r rendered) write(w io.Writer) {
	if r.Artifact != "" {
		fmt.Fprintf(w, "pushed   %s\n", r.Artifact)
		if !r.Signed {
			fmt.Fprintln(w, "unsigned, as nobody signs it: --sign-key, TAGLINE_KEY or --keyless")
			return
		}
		fmt.Fprintln(w, "signed   for cosign verify and Flux's OCIRepository")
		return
	}
	if len(r.Written)+len(r.Removed) == 0 {
		fmt.Fprintln(w, "nothing differs")
	}
	for _, name := range r.Written {
		fmt.Fprintf(w, "written  %s\n", name)
	}
	for _, name := range r.Removed {
		fmt.Fprintf(w, "removed  %s\n", name)
	}
	if r.Commit != "" {
		fmt.Fprintf(w, "pushed   commit %s\n", r.Commit)
	}
}
