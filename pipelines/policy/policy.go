// Package policy reads the policy of a beamline: who may release what, which
// checks and approvals a promotion needs, and when nothing may change. It is one
// YAML document, kept in the beamline's namespace.
package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// Policy is what must be true before a beamline is promoted. Only Read returns
// one that is consistent.
type Policy struct {
	// Unsigned is the reason why records without a signature are accepted; empty
	// where they are not. With a reason there are no Signers.
	Unsigned string `json:"unsigned,omitempty" jsonschema:"minLength=10,example=a test beamline without hardware" jsonschema_description:"Accept releases that nobody signed, and why. Instead of signers."`
	// Signers are those who may sign releases.
	Signers []Signer `json:"signers,omitempty" jsonschema_description:"Who may sign the releases of which assets. Everything that a release is built on or runs must be signed by one of them too."`
	// Checks are tests that must have passed, beside the boot of every instance.
	Checks []string `json:"checks,omitempty" jsonschema:"uniqueItems=true,minLength=1,example=unique PVs" jsonschema_description:"Tests that must have passed, beside the boot of every IOC instance."`
	// Consents is what instances' own charts may need beyond what an IOC does.
	Consents []Consent `json:"consents,omitempty" jsonschema_description:"What charts may bring and ask for beyond what an IOC needs."`
	// Approvals is who must approve; nil when nobody must.
	Approvals *Approvals `json:"approvals,omitempty" jsonschema_description:"Who must approve a promotion, and how many of them."`
	// After and Soak ask that every image ran healthy elsewhere before.
	After []string `json:"after,omitempty" jsonschema:"uniqueItems=true,minLength=1,example=bl01t" jsonschema_description:"Namespaces of beamlines in this cluster, on one of which every image of the release must have run before."`
	Soak  Duration `json:"soak,omitempty" jsonschema_description:"How long every image must have been healthy there, without a break."`
	// Closed are times in which nothing may change.
	Closed []Window `json:"closed,omitempty" jsonschema_description:"When nothing may change, or only with more approvals: beam time."`
	// Holds stop promotions until somebody changes the policy, or until a time.
	Holds []Hold `json:"holds,omitempty" jsonschema_description:"Reasons why nothing may be promoted now."`
	// Override lists the approvers who may promote against approvals, soak, closed
	// times and holds, with a reason that stays on record.
	Override []string `json:"override,omitempty" jsonschema:"uniqueItems=true,minLength=1,example=ajp" jsonschema_description:"Names of approvers who may promote in spite of approvals, soak, closed times and holds, with a reason."`

	// Verify is what a promotion or rollback watches after its IOCs are ready; nil where
	// nothing is.
	Verify *Verify `json:"verify,omitempty" jsonschema_description:"What a promotion or rollback watches after every IOC that it touched is ready. Left out: nothing."`

	// Events are the receivers that are told of everything that is done to the beamline.
	Events []Receiver `json:"events,omitempty" jsonschema:"minItems=1" jsonschema_description:"Who is told of everything that is done to the beamline."`

	text    string
	applied string // as ReadApplied has it
}

// Signer is a key or a workflow identity that may sign releases. Exactly one of
// Key and Identity is set.
type Signer struct {
	Assets      []string `json:"assets,omitempty" jsonschema:"minItems=1,minLength=1,example=ioc-*" jsonschema_description:"Names of the assets whose releases it may sign; * stands for any letters. Left out: all."`
	Key         string   `json:"key,omitempty" jsonschema_description:"Public keys in PEM."`
	Identity    string   `json:"identity,omitempty" jsonschema:"minLength=1,example=https://github.com/some-org/site/.github/workflows/release.yml" jsonschema_description:"The subject of its certificates. A workflow without its git ref may sign the release of the tag that it runs for."`
	Issuer      string   `json:"issuer,omitempty" jsonschema:"minLength=1,example=https://token.actions.githubusercontent.com" jsonschema_description:"The OIDC issuer of the identity; GitHub Actions where it is left out."`
	TrustedRoot string   `json:"trustedRoot,omitempty" jsonschema_description:"trusted_root.json of a Sigstore of your own; the public one where it is left out."`
}

// Scoped splits what a person writes for a signer, "ioc-*=…", into the names of the
// assets that it may sign, none for all, and the signer.
func Scoped(item string) (assets []string, signer string) {
	if name, rest, ok := strings.Cut(item, "="); ok && !strings.ContainsAny(name, "/:.@?") {
		return []string{name}, rest
	}
	return nil, item
}

// May reports whether the signer may sign the releases of an asset.
func (s Signer) May(name asset.Name) bool {
	return len(s.Assets) == 0 || slices.ContainsFunc(s.Assets, func(glob string) bool {
		ok, _ := path.Match(glob, string(name)) // Read refuses a bad pattern
		return ok
	})
}

// Consent lets the charts of some instances need something.
type Consent struct {
	Charts []string `json:"charts" jsonschema:"minItems=1,uniqueItems=true,minLength=1,example=bl01t-ea-*" jsonschema_description:"Names of the instances whose charts may; * stands for any letters."`
	To     []string `json:"to" jsonschema:"minItems=1,uniqueItems=true,minLength=1,example=host path /dev/ttyUSB0" jsonschema_description:"What they may need, in the words of tagline gate: kind Service, hook pre-install, privileged, capability SYS_NICE."`
}

// Allows reports whether the policy consents to what an instance's chart needs, in
// the words of chart.Needs.
func (p *Policy) Allows(instance, need string) bool {
	return slices.ContainsFunc(p.Consents, func(c Consent) bool {
		return slices.Contains(c.To, need) && slices.ContainsFunc(c.Charts, func(glob string) bool {
			ok, _ := path.Match(glob, instance) // Read refuses a bad pattern
			return ok
		})
	})
}

// Approvals is who approves promotions.
type Approvals struct {
	Count int        `json:"count" jsonschema:"minimum=1,maximum=20,example=1" jsonschema_description:"How many of the approvers must approve."`
	From  []Approver `json:"from" jsonschema:"minItems=1" jsonschema_description:"Who may approve."`
	// GitHub lets reviews of a workflow's run count as approvals.
	GitHub *GitHub `json:"github,omitempty" jsonschema_description:"The workflow whose runs promote this beamline. Those who let a run begin, as required reviewers of the GitHub environment that is called as the beamline, have approved."`
	// Self lets the signer of a release approve it.
	Self bool `json:"self,omitempty" jsonschema_description:"Whether the signer of a release may approve it."`
}

// GitHub is a workflow whose runs promote a beamline.
type GitHub struct {
	Repository string `json:"repository" jsonschema:"pattern=^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$,example=some-org/site" jsonschema_description:"The repository that has the workflow."`
	Workflow   string `json:"workflow" jsonschema:"pattern=^[A-Za-z0-9._-]+\\.ya?ml$,example=promote.yml" jsonschema_description:"The workflow's file in .github/workflows. Its run-name is: promote BEAMLINE to VERSION."`
	API        string `json:"api,omitempty" jsonschema:"format=uri,example=https://github.example.org/api/v3" jsonschema_description:"Address of the API of a GitHub server of your own."`
}

// Approver may approve promotions: one person, with one or more of Key, Identity and
// GitHub, who counts once whichever of them are used; or a team of GitHub alone, each
// member of which counts.
type Approver struct {
	Name        string `json:"name" jsonschema:"minLength=1,example=ajp" jsonschema_description:"How the approver is called here: one person, known by one or more of key, identity and github, who counts once."`
	Key         string `json:"key,omitempty" jsonschema_description:"Public key in PEM."`
	Identity    string `json:"identity,omitempty" jsonschema:"minLength=1,example=ajp@some-org.example" jsonschema_description:"The subject of the approver's certificates: an e-mail address."`
	Issuer      string `json:"issuer,omitempty" jsonschema:"minLength=1,example=https://accounts.google.com" jsonschema_description:"The OIDC issuer of the identity."`
	TrustedRoot string `json:"trustedRoot,omitempty" jsonschema_description:"trusted_root.json of a Sigstore of your own; the public one where it is left out."`
	GitHub      string `json:"github,omitempty" jsonschema:"pattern=^[A-Za-z0-9-]+(/[A-Za-z0-9._-]+)?$,example=octocat" jsonschema_description:"A user of GitHub; or a team as in some-org/bl01t-staff, each member of which counts, and which stands alone."`
}

// Verify is for how long a promotion watches the IOCs that it touched, and which PVs
// of the beamline must not get a worse alarm severity meanwhile.
type Verify struct {
	For Watch    `json:"for" jsonschema_description:"For how long. Nobody else changes the beamline meanwhile."`
	PVs []string `json:"pvs,omitempty" jsonschema:"uniqueItems=true,minLength=1,pattern=^[^\\s]+$,example=BL01T-MO-01:X.STAT" jsonschema_description:"PVs whose alarm severity must not be worse than before the promotion."`
}

// Receiver is told of everything that is done to the beamline.
type Receiver struct {
	Name string `json:"name" jsonschema:"pattern=^[a-z0-9]([a-z0-9-]*[a-z0-9])?$,example=logbook" jsonschema_description:"How the receiver is called. The entry of this name in the Secret tagline-events holds the key with which its events are signed: whsec_ and base64."`
	URL  string `json:"url" jsonschema:"minLength=1,example=https://logbook.some-org.example/hooks/tagline" jsonschema_description:"Where events are sent, as CloudEvents. http is for the machine itself and for Services of the cluster, as in http://relay.tools.svc:8080."`
}

// Hold is a reason why nothing may be promoted.
type Hold struct {
	Why   string `json:"why" jsonschema:"minLength=1,example=vacuum work" jsonschema_description:"The reason, for whoever is stopped by it."`
	Until Time   `json:"until,omitempty" jsonschema_description:"When it ends by itself; left out: when it is taken out of the policy."`
}

// Ended reports whether the hold ended by itself before now.
func (h Hold) Ended(now time.Time) bool {
	until, err := h.Until.Time()
	return err == nil && !until.After(now)
}

// Text returns the policy as it was written.
func (p *Policy) Text() string { return p.text }

// Digest returns the digest, "sha256:…", of the policy's text as it was applied: what
// approvals name, so that they end when the policy changes, and do not begin again when
// it is changed back.
func (p *Policy) Digest() string {
	sum := sha256.Sum256([]byte(p.applied + "\n" + p.text))
	return "sha256:" + hex.EncodeToString(sum[:])
}

var schema = sync.OnceValue(func() *strictyaml.Schema[Policy] {
	return strictyaml.New[Policy](
		"Policy of a beamline",
		"ConfigMap tagline-policy, key policy.yaml: what must be true before the beamline is promoted.",
	)
})

// Schemas returns the JSON schema of a policy, by the name it is published under.
func Schemas() map[string][]byte { return map[string][]byte{"policy.schema.json": schema().JSON()} }

// Read reads a policy; file is its name in messages. The error joins every
// fault, a *diag.Error each, in the order of lines.
func Read(file string, text []byte) (*Policy, error) {
	p, doc, err := schema().Read(file, text)
	var faults diag.Faults
	faults.Add(err)
	if p != nil {
		p.check(doc, &faults)
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	p.text = string(text)
	return p, nil
}

// ReadApplied reads the policy of a beamline as Read does. applied is one line that names
// it as it was applied there, as ledger.Policy returns it.
func ReadApplied(file string, text []byte, applied string) (*Policy, error) {
	p, err := Read(file, text)
	if err != nil {
		return nil, err
	}
	p.applied = applied
	return p, nil
}
