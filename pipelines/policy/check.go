package policy

import (
	"path"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/sign"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// Actions is the OIDC issuer of GitHub Actions, which stands where none is named.
const Actions = "https://token.actions.githubusercontent.com"

// checker collects what is wrong with a policy beyond its schema.
type checker struct {
	doc    *strictyaml.Doc
	faults *diag.Faults
}

func (c checker) fault(place strictyaml.Path, fix, format string, args ...any) {
	*c.faults = append(*c.faults, c.doc.Faultf(place, fix, format, args...))
}

// check finds what no schema can say, and fills in what may be left out.
func (p *Policy) check(doc *strictyaml.Doc, faults *diag.Faults) {
	c := checker{doc, faults}
	switch {
	case len(p.Signers) == 0 && p.Unsigned == "" && !doc.Has("unsigned") && !doc.Has("signers"):
		c.fault(nil, "name signers; or write unsigned: with the reason why none are needed", "nobody may sign releases")
	case doc.Has("signers") && doc.Has("unsigned"):
		c.fault(
			strictyaml.Path{"unsigned"}, "keep one of the two",
			"signers are named, and unsigned releases are accepted",
		)
	case doc.Has("signers") && len(p.Signers) == 0:
		c.fault(strictyaml.Path{"signers"}, "name who may sign", "the list is empty")
	}
	CheckSigners(doc, p.Signers, faults)
	for i, consent := range p.Consents {
		c.patterns(strictyaml.Path{"consents", i, "charts"}, "bl01t-ea-*", consent.Charts)
	}
	var names []string
	if p.Approvals != nil {
		names = c.approvals(p.Approvals)
	}
	for i, name := range p.Override {
		if !slices.Contains(names, name) {
			c.fault(strictyaml.Path{"override", i}, "name one under approvals: from:", "%q is no approver", name)
		}
	}
	if (p.Soak != "") != (len(p.After) > 0) && (doc.Good("soak") || doc.Good("after")) {
		c.fault(nil, "name both, or neither", "after and soak belong together: where, and for how long")
	}
	c.events(p.Events)
	for i, w := range p.Closed {
		if err := w.check(); err != nil {
			c.fault(strictyaml.Path{"closed", i}, "see RFC 5545 for repeat, and tzdata for zone", "%v", err)
		}
	}
}

// CheckSigners checks a list of signers at the key signers of a file, and fills in
// their issuers.
func CheckSigners(doc *strictyaml.Doc, signers []Signer, faults *diag.Faults) {
	c := checker{doc, faults}
	for i := range signers {
		c.signer(strictyaml.Path{"signers", i}, &signers[i])
	}
}

// signer checks one who may sign, and fills in the issuer.
func (c checker) signer(place strictyaml.Path, s *Signer) {
	c.patterns(below(place, "assets"), "ioc-*", s.Assets)
	if (s.Key == "") == (s.Identity == "") {
		c.fault(place, "give either key or identity", "it names not one way to know the signer")
	}
	s.Issuer = c.identity(place, s.Key, s.Identity, s.Issuer, s.TrustedRoot, Actions)
}

// patterns checks a list of patterns of names, of which one is an example.
func (c checker) patterns(place strictyaml.Path, example string, globs []string) {
	for i, glob := range globs {
		if _, err := path.Match(glob, ""); err != nil {
			c.fault(below(place, i), "write it as in "+example, "%q is no pattern of names", glob)
		}
	}
}

// identity checks a key, or an identity with its issuer and trusted root, and
// returns the issuer.
func (c checker) identity(place strictyaml.Path, key, identity, issuer, trustedRoot, usual string) string {
	switch {
	case identity == "" && (issuer != "" || trustedRoot != ""):
		c.fault(
			place, "remove issuer and trustedRoot, or give identity",
			"only an identity has an issuer and a trusted root",
		)
	case identity != "" && issuer == "" && usual == "":
		c.fault(place, "add the issuer, as in https://accounts.google.com", "the identity %s has no issuer", identity)
	}
	if key != "" {
		if _, err := sign.TrustKeys([]byte(key)); err != nil {
			c.fault(below(place, "key"), "paste the .pub file that tagline key made", "the key can't be read")
		}
	}
	if trustedRoot != "" {
		if _, err := sign.ReadSigstore([]byte(trustedRoot), nil); err != nil {
			c.fault(below(place, "trustedRoot"), "paste the instance's trusted_root.json", "it can't be read")
		}
	}
	if identity != "" && issuer == "" {
		return usual
	}
	return issuer
}

// approvals checks who may approve, and returns their names.
func (c checker) approvals(a *Approvals) (names []string) {
	for i, approver := range a.From {
		place := strictyaml.Path{"approvals", "from", i}
		c.identity(place, approver.Key, approver.Identity, approver.Issuer, approver.TrustedRoot, "")
		ways := slices.DeleteFunc(
			[]string{approver.Key, approver.Identity, approver.GitHub}, func(way string) bool { return way == "" },
		)
		switch {
		case len(ways) != 1:
			c.fault(place, "give one of key, identity and github", "it names %d ways to know the approver", len(ways))
		case approver.GitHub != "" && a.GitHub == nil:
			c.fault(
				below(place, "github"), "add github: under approvals, with repository and workflow",
				"no workflow of GitHub is named",
			)
		}
		same := func(name string) bool { return strings.EqualFold(name, approver.Name) }
		if slices.ContainsFunc(names, same) { // who approves is told by name, in any case
			c.fault(below(place, "name"), "give each a name of its own", "%q is there twice", approver.Name)
		}
		names = append(names, approver.Name)
	}
	team := slices.ContainsFunc(a.From, func(approver Approver) bool { return strings.Contains(approver.GitHub, "/") })
	if a.Count > len(a.From) && len(a.From) > 0 && !team {
		c.fault(
			strictyaml.Path{"approvals", "count"}, "name more, or ask for fewer", "%d of %d can never approve",
			a.Count, len(a.From),
		)
	}
	return names
}

// below returns the path of a piece below another.
func below(place strictyaml.Path, more ...any) strictyaml.Path {
	return append(slices.Clone(place), more...)
}
