package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/diff/text"
	"github.com/tagline-ci/tagline/pipelines/gate"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/promote"
)

// newPolicy is `tagline policy`: what a beamline asks of its promotions.
func newPolicy(a *app) *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "policy",
		Short: "Write and show what a beamline asks of its promotions",
		Long: "A beamline's policy says who may release and approve what, which checks must have\n" +
			"passed, and when nothing may change. It is in the ConfigMap tagline-policy of the\n" +
			"beamline's namespace, and nothing is promoted without one: docs/policy.md.",
		Example: "  tagline policy init bl01t --key release.key.pub --approver ajp=ajp.key.pub\n" +
			"  tagline policy show bl01t",
	})
	cmd.AddCommand(newPolicyInit(a), newPolicyShow(a), newPolicyApply(a), newPolicyDiff(a), newPolicyGuard(a))
	return cmd
}

func newPolicyInit(a *app) *cobra.Command {
	b, t := &beamlineCluster{}, policy.Template{}
	var keys, approvers []string
	cmd := a.takes(&cobra.Command{
		Use:   "init BEAMLINE",
		Short: "Write a first policy",
		Long: "Writes a policy from the flags, in plain words. In the cluster of tagline up, without\n" +
			"flags, it is one that accepts unsigned releases. A policy that is there is left alone.",
		Example: "  tagline policy init bl01t --key release.key.pub\n" +
			"  tagline policy init bl01t --identity https://github.com/some-org/site/.github/workflows/release.yml --approver ajp=ajp.key.pub",
		RunE: func(cmd *cobra.Command, given []string) error {
			n, err := a.openCluster(cmd.Context(), b, given[0])
			if err != nil {
				return err
			}
			if err := readTemplate(&t, keys, approvers); err != nil {
				return err
			}
			if t.Empty() && a.ownCluster(b) {
				t = policy.OfUp()
			}
			text, err := t.Text(given[0])
			if err != nil {
				return err
			}
			text, there, err := ledger.FirstPolicy(cmd.Context(), n, text)
			if there {
				fmt.Fprintf(
					a.Err, "%s has a policy already, which was left alone; change it with tagline policy apply\n",
					given[0],
				)
			}
			if err != nil {
				return err
			}
			return a.print(text, func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
		},
	}, beamlineArg)
	b.flags(cmd)
	cmd.Flags().StringArrayVar(&keys, "key", nil, "file of public keys that may sign releases; again for more")
	cmd.Flags().StringArrayVar(&t.Identities, "identity", nil, "workflow that may sign releases; again for more")
	cmd.Flags().StringArrayVar(
		&approvers, "approver", nil,
		"who must approve, as name=file of a public key; again for more, of whom one must",
	)
	cmd.Flags().StringVar(&t.Unsigned, "unsigned", "", "accept releases that nobody signed, for this reason")
	return cmd
}

// ownCluster reports whether the cluster is that of tagline up.
func (a *app) ownCluster(b *beamlineCluster) bool { return a.up().Owns(b.access.Kubeconfig) }

// readTemplate reads the keys that flags name.
func readTemplate(t *policy.Template, keys, approvers []string) error {
	for _, file := range keys {
		text, err := readKey(file)
		if err != nil {
			return err
		}
		t.Keys = append(t.Keys, text)
	}
	for _, pair := range approvers {
		name, file, ok := strings.Cut(pair, "=")
		if !ok || name == "" || file == "" {
			return gate.BadSigners(fmt.Sprintf("--approver %q names no key", pair), "write it as name=file.pub")
		}
		text, err := readKey(file)
		if err != nil {
			return err
		}
		t.Approvers = append(t.Approvers, policy.Approver{Name: name, Key: text})
	}
	return nil
}

func readKey(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", &diag.Error{
			Kind: diag.Invalid, Doing: "reading the public key", Err: err,
			Fix: "name the .pub file that tagline key made",
		}
	}
	return string(text), nil
}

func newPolicyShow(a *app) *cobra.Command {
	b := &beamlineCluster{}
	cmd := a.takes(&cobra.Command{
		Use: "show BEAMLINE", Short: "Show a beamline's policy",
		Long:    "Writes the policy as it is in the beamline's namespace.",
		Example: "  tagline policy show bl01t",
		RunE: func(cmd *cobra.Command, given []string) error {
			n, err := a.openCluster(cmd.Context(), b, given[0])
			if err != nil {
				return err
			}
			text, _, err := ledger.Policy(cmd.Context(), n)
			if err != nil {
				return err
			}
			return a.print(text, func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
		},
	}, beamlineArg)
	b.flags(cmd)
	return cmd
}

func newPolicyApply(a *app) *cobra.Command {
	b := &beamlineCluster{}
	cmd := a.takes(&cobra.Command{
		Use: "apply BEAMLINE FILE", Short: "Write a beamline's policy from a file",
		Long: "Reads and checks the file, then writes it into the beamline's namespace. Approvals\n" +
			"that were given before end, and do not begin again when the policy is changed back.\n" +
			"Where the file is the policy already, nothing is written, and they go on.",
		Example: "  tagline policy apply bl01t policy.yaml",
		RunE: func(cmd *cobra.Command, given []string) error {
			p, err := readPolicyFile(given[1])
			if err != nil {
				return err
			}
			n, err := a.openCluster(cmd.Context(), b, given[0])
			if err != nil {
				return err
			}
			return ledger.SavePolicy(cmd.Context(), n, p.Text())
		},
	}, beamlineArg, fileArg)
	b.flags(cmd)
	return cmd
}

func newPolicyDiff(a *app) *cobra.Command {
	b := &beamlineCluster{}
	cmd := a.takes(&cobra.Command{
		Use: "diff BEAMLINE FILE", Short: "Show what a file would change in a beamline's policy",
		Long:    "Compares a file with the policy in the beamline's namespace, line by line. Nothing is\nchanged.",
		Example: "  tagline policy diff bl01t policy.yaml",
		RunE: func(cmd *cobra.Command, given []string) error {
			p, err := readPolicyFile(given[1])
			if err != nil {
				return err
			}
			n, err := a.openCluster(cmd.Context(), b, given[0])
			if err != nil {
				return err
			}
			now, _, err := ledger.Policy(cmd.Context(), n)
			if err != nil {
				return err
			}
			lines := append([]string{}, text.Lines([]byte(now), []byte(p.Text()))...)
			return a.print(lines, func(w io.Writer) error { return writeLines(w, lines) })
		},
	}, beamlineArg, fileArg)
	b.flags(cmd)
	return cmd
}

func newPolicyGuard(a *app) *cobra.Command {
	s, b := &site{}, &beamlineCluster{}
	cmd := a.takes(&cobra.Command{
		Use: "guard BEAMLINE", Short: "Print the values of the chart beamline-guard that follow from a policy",
		Long: "Prints as YAML what the guard of the beamline's namespace must let in: images of the\n" +
			"registry, and what the policy consents to. Install it again when the consents change.",
		Example: "  tagline policy guard bl01t | helm upgrade --install guard deploy/beamline-guard --namespace bl01t --values -",
		RunE: func(cmd *cobra.Command, given []string) error {
			reg, err := a.openRegistry(cmd.Context(), s)
			if err != nil {
				return err
			}
			n, err := a.openCluster(cmd.Context(), b, given[0])
			if err != nil {
				return err
			}
			p, err := promote.Policy(cmd.Context(), n)
			if err != nil {
				return err
			}
			values := p.Guard(reg.Prefix())
			return a.print(values, func(w io.Writer) error {
				text, err := yaml.Marshal(values)
				if err != nil {
					return err
				}
				_, err = w.Write(text)
				return err
			})
		},
	}, beamlineArg)
	s.flags(cmd)
	b.flags(cmd)
	return cmd
}

// readPolicyFile returns the policy that a file is.
func readPolicyFile(file string) (*policy.Policy, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, &diag.Error{
			Kind: diag.Invalid, Doing: "reading the policy", Err: err, Fix: "name a file that is there",
		}
	}
	return policy.Read(file, text)
}

// beamlinePolicy reads the policy of a beamline. In the cluster of tagline up, one that
// has none is given one.
func (a *app) beamlinePolicy(ctx context.Context, b *beamlineCluster, n *cluster.Namespace) (*policy.Policy, error) {
	if !a.ownCluster(b) {
		return promote.Policy(ctx, n)
	}
	p, given, err := promote.PolicyOr(ctx, n, policy.OfUp())
	if given {
		fmt.Fprintf(
			a.Err,
			"%s had no policy; it has that of tagline up now, which accepts unsigned releases: tagline policy show %s\n",
			n.Beamline, n.Beamline,
		)
	}
	return p, err
}
