package gate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// kind binds the record to what was asked for.
func kind(f Facts) []Reason {
	const again = "release the tag again with this version of Tagline"
	rec := f.Release.Record
	if rec.Kind != asset.Beamline {
		return []Reason{no(
			Kind, "promote a beamline that runs it", "it is a release of kind %q, and only a beamline can be promoted",
			rec.Kind,
		)}
	}
	var faults []Reason
	if rec.Asset != f.Beamline {
		faults = append(faults, no(
			Kind, "name that beamline", "it is the release of beamline %s, not of %s", rec.Asset, f.Beamline,
		))
	}
	if rec.Namespace != f.Namespace {
		faults = append(faults, no(
			Kind,
			"give the beamline that namespace in beamline.yaml and tag it again, or name the right one with --namespace",
			"it goes to namespace %q, and the beamline's is %q", rec.Namespace, f.Namespace,
		))
	}
	if f.Release.Digest == "" {
		faults = append(faults, no(Kind, again, "its record has no digest"))
	}
	if len(rec.Instances) == 0 {
		faults = append(faults, no(
			Kind, "give the beamline an instance under iocs/ and tag it again", "it has no IOC instance",
		))
	}
	for _, inst := range rec.Instances {
		for _, ref := range []asset.Ref{inst.Chart, inst.Image} {
			if ref == "" && inst.Service != "" {
				continue // what it runs is in its chart, and needs the policy's consent
			}
			if ref.Digest() == "" {
				faults = append(faults, no(
					Kind, again, "%s is to run %q, which is not named by digest", inst.Name, ref,
				))
			}
		}
	}
	if len(faults) > 0 {
		return faults
	}
	return []Reason{yes(
		Kind, "it is the release of %s for namespace %s, with %d IOC instances", rec.Asset, rec.Namespace,
		len(rec.Instances),
	)}
}

// signature says who signed. That nobody trusted did is found out before: the
// record of such a release is not read.
func signature(f Facts) []Reason {
	switch {
	case f.Release.Signer != "":
		return []Reason{yes(Signed, "it was signed by %s, whom the policy trusts with it", f.Release.Signer)}
	case f.Policy.Unsigned != "":
		return []Reason{yes(Signed, "the policy accepts releases that nobody signed: %s", f.Policy.Unsigned)}
	}
	return []Reason{no(Signed, "release the tag again with a key or as a workflow", "nobody signed it")}
}

// known lists what could not be read: nothing is assumed instead.
func known(f Facts) (faults []Reason) {
	for _, all := range f.Unreadable {
		for _, err := range diag.All(all) {
			fix := "see that it can be read, then run this again"
			var fault *diag.Error
			if errors.As(err, &fault) && fault.Fix != "" {
				fix = fault.Fix
				bare := *fault
				bare.Fix = ""
				err = &bare
			}
			faults = append(faults, no(Known, fix, "%v", err))
		}
	}
	return faults
}

// approvals wants as many as the policy, an open window or the release asks for.
func approvals(f Facts) []Reason {
	want := needed(f)
	var by []string
	var reasons []Reason
	for _, j := range f.Approvals {
		switch {
		case j.Override != "":
		case j.Good:
			by = append(by, j.By)
		default:
			reasons = append(reasons, no(
				Approved, "", "the approval %s of %s does not count: %s", short(j.ID), or(j.By, j.Signer), j.Why,
			))
		}
	}
	if lacking := unapproved(f, by); lacking != "" {
		return append(reasons, no(
			Approved, fmt.Sprintf("have one of them run tagline approve %s %s", f.Beamline, f.Release.Record.Version),
			"%s", lacking,
		))
	}
	if len(by) < want {
		return append(reasons, no(Approved, fmt.Sprintf(
			"have it approved: tagline approve %s %s", f.Beamline, f.Release.Record.Version,
		),
			"it has %d of %d approvals, from any of %s", len(by), want, approvers(f)))
	}
	if want == 0 {
		return []Reason{yes(Approved, "no approval is asked for")}
	}
	return []Reason{yes(Approved, "it was approved by %s", list(by))}
}

// needed returns how many approvals are asked for.
func needed(f Facts) (n int) {
	if f.Policy.Approvals != nil {
		n = f.Policy.Approvals.Count
	}
	if g := f.Release.Record.Gate; len(g.Approvers) > 0 || g.Environment != "" {
		n = max(n, 1)
	}
	for _, w := range f.Policy.Closed {
		if _, in := w.In(f.Now); in {
			n = max(n, w.Approvals)
		}
	}
	return n
}

// unapproved says which approver that beamline.yaml asks for is missing.
func unapproved(f Facts, by []string) string {
	wanted := f.Release.Record.Gate.Approvers
	if len(wanted) == 0 {
		return ""
	}
	for _, name := range by {
		if slices.ContainsFunc(wanted, func(a string) bool { return strings.EqualFold(a, name) }) {
			return ""
		}
	}
	return "beamline.yaml asks for the approval of one of " + list(wanted)
}

// approvers lists who may approve.
func approvers(f Facts) string {
	if f.Policy.Approvals == nil {
		return "nobody: the policy names no approvers"
	}
	var names []string
	for _, a := range f.Policy.Approvals.From {
		names = append(names, a.Name)
	}
	return list(names)
}

// soak wants every image of the release to have been healthy for a while.
func soak(f Facts) []Reason {
	length, err := f.Policy.Soak.Duration()
	if err != nil || length == 0 {
		return nil
	}
	where := list(f.Policy.After)
	var faults []Reason
	seen := map[asset.Digest]bool{}
	for _, inst := range f.Release.Record.Instances {
		if inst.Service != "" {
			continue
		}
		digest := f.Release.Record.GenericIOC(inst).Digest()
		if seen[digest] {
			continue
		}
		seen[digest] = true
		since, there := f.Healthy[digest]
		switch {
		case !there:
			faults = append(faults, no(
				Soaked, "promote a release that runs it there first", "%s, %s, does not run healthy on %s", inst.IOC,
				digest.Short(), where,
			))
		case f.Now.Sub(since) < length:
			faults = append(faults, no(Soaked, "promote it after "+since.Add(length).UTC().Format(minutes),
				"%s, %s, has been healthy on %s for %s of %s", inst.IOC, digest.Short(), where,
				f.Now.Sub(since).Round(time.Minute), f.Policy.Soak))
		}
	}
	if len(faults) > 0 {
		return faults
	}
	return []Reason{yes(Soaked, "every image has been healthy on %s for %s", where, f.Policy.Soak)}
}

// minutes is how a time is written for people.
const minutes = "2006-01-02 15:04 MST"

// closed refuses while a window is open in which nothing may change.
func closed(f Facts) (reasons []Reason) {
	good := 0
	for _, j := range f.Approvals {
		if j.Good && j.Override == "" {
			good++
		}
	}
	for _, w := range f.Policy.Closed {
		until, in := w.In(f.Now)
		switch end := until.UTC().Format(minutes); {
		case !in:
		case w.Approvals > 0 && good >= w.Approvals:
			reasons = append(reasons, yes(Open, "it is %s until %s, and %d approved all the same", w.Why, end, good))
		case w.Approvals > 0:
			reasons = append(reasons, no(
				Open, fmt.Sprintf("promote it after %s, or have %d approve it", end, w.Approvals), "it is %s until %s",
				w.Why, end,
			))
		default:
			reasons = append(reasons, no(Open, "promote it after "+end, "it is %s until %s", w.Why, end))
		}
	}
	return reasons
}

// holds refuses while the policy holds the beamline.
func holds(f Facts) (reasons []Reason) {
	for _, h := range f.Policy.Holds {
		if h.Ended(f.Now) {
			continue
		}
		fix := "have the hold taken out: tagline policy apply " + string(f.Beamline) + " FILE"
		if h.Until != "" {
			fix = "promote it after " + string(h.Until)
		}
		reasons = append(reasons, no(NotOnHold, fix, "the beamline is on hold: %s", h.Why))
	}
	return reasons
}

func short(id string) string { return id[:min(len(id), 8)] }

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
