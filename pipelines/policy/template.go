package policy

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Template is what a first policy is written from.
type Template struct {
	Keys       []string // public keys in PEM
	Identities []string // workflows of GitHub Actions
	Approvers  []Approver
	Unsigned   string // why unsigned releases are accepted, instead of Keys and Identities
}

// Empty reports whether the template names nobody and accepts nothing.
func (t Template) Empty() bool {
	return len(t.Keys)+len(t.Identities)+len(t.Approvers) == 0 && t.Unsigned == ""
}

// OfUp is what a beamline in the cluster of tagline up begins with where nobody says
// otherwise: who has that machine may do all there anyway.
func OfUp() Template {
	return Template{Unsigned: "this is the cluster of tagline up, on the machine of who releases and promotes"}
}

// Text returns the policy of a beamline, with comments for whoever changes it. The
// error is of kind Invalid when it would not be a policy.
func (t Template) Text(beamline string) (string, error) {
	if len(t.Keys)+len(t.Identities) == 0 && t.Unsigned == "" {
		return "", &diag.Error{
			Kind: diag.Invalid, Doing: "writing the policy of", Asset: beamline,
			Err: errors.New("nobody may sign releases"),
			Fix: "give --key or --identity; or --unsigned with the reason why none is needed",
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# The policy of beamline %s: what must be true before a release is promoted to it.\n", beamline)
	if t.Unsigned != "" {
		b.WriteString(
			"# Releases that nobody signed are accepted. For a beamline with hardware, name\n# signers instead.\n",
		)
		fmt.Fprintf(&b, "unsigned: %q\n", t.Unsigned)
	}
	if len(t.Keys)+len(t.Identities) > 0 {
		b.WriteString("# Who may sign its releases, and those of all images that it runs.\nsigners:\n")
	}
	for _, key := range t.Keys {
		fmt.Fprintf(&b, "  - key: %s", block(key, 6))
	}
	for _, identity := range t.Identities {
		fmt.Fprintf(&b, "  - identity: %q\n", identity)
	}
	if len(t.Approvers) > 0 {
		b.WriteString(
			"# Who may approve a promotion, and how many must. Not who signed the release.\napprovals:\n" +
				"  count: 1\n  from:\n",
		)
	}
	for _, approver := range t.Approvers {
		fmt.Fprintf(&b, "    - name: %q\n      key: %s", approver.Name, block(approver.Key, 8))
	}
	text := b.String()
	_, err := Read("the policy", []byte(text))
	return text, err
}

// block returns text as a literal block of YAML.
func block(text string, indent int) string {
	margin := "\n" + strings.Repeat(" ", indent)
	return "|" + margin + strings.ReplaceAll(strings.TrimSpace(text), "\n", margin) + "\n"
}
