package approval

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tagline-ci/tagline/pipelines/sign"
)

// Approver is somebody whose approvals count. One person whom the policy knows in several
// ways is there once for each, with the same name.
type Approver struct {
	Name  string
	Trust *sign.Trust
}

// Question is what approvals are needed for.
type Question struct {
	Beamline  string
	Record    string // digest of the release's record
	Policy    string // digest of the policy
	Signer    string // who signed the record; empty when nobody did
	Self      bool   // whether that signer may approve
	Now       time.Time
	Approvers []Approver
}

// Judged is an approval with the decision whether it counts.
type Judged struct {
	Statement
	By   string `json:"by,omitempty"`  // the approver's name in the policy; empty when unknown
	Why  string `json:"why,omitempty"` // why it does not count
	Good bool   `json:"good"`
}

// Judge decides which approvals count for a question. Each approver counts once.
func (f *Found) Judge(q Question) []Judged {
	var all []Judged
	ended := f.revoked(q)
	seen := map[string]bool{}
	for _, s := range f.Approvals {
		j := Judged{Statement: s}
		j.By, j.Why = q.judge(s, ended)
		switch {
		case j.Why != "":
		case seen["id "+s.ID]:
			j.Why = "it is a copy of an approval that is counted"
		case seen["by "+j.By] && s.Override == "":
			j.Why = j.By + " has approved it already"
		default:
			j.Good = true
			seen["id "+s.ID] = true
			if s.Override == "" {
				seen["by "+j.By] = true
			}
		}
		all = append(all, j)
	}
	return all
}

// judge returns the approver who signed, and why the approval does not count.
func (q Question) judge(s Statement, ended map[string]time.Time) (by, why string) {
	for _, approver := range q.Approvers {
		if _, err := approver.Trust.Check(s.signed, s.subject, Kind, ""); err == nil {
			by = approver.Name
			break
		}
	}
	const form = "2006-01-02 15:04 MST"
	end, revoked := ended[s.ID]
	switch {
	case by == "":
		return "", fmt.Sprintf("it is signed by %s, who is no approver of the policy", s.Signer)
	case s.subject != q.Record:
		return by, fmt.Sprintf("it is of another record, %.19s", s.subject)
	case s.Beamline != q.Beamline:
		return by, fmt.Sprintf("it is for the beamline %s", s.Beamline)
	case s.Policy != q.Policy:
		return by, "it was given under another policy, or before this one was changed and changed back"
	case revoked:
		return by, "it was revoked at " + end.UTC().Format(form)
	case s.From.After(q.Now.Add(time.Minute)): // clocks differ
		return by, "it begins at " + s.From.UTC().Format(form)
	case !q.Now.Before(s.Until):
		return by, "it ended at " + s.Until.UTC().Format(form)
	case !q.Self && (s.Signer == q.Signer || q.Signed(by)):
		return by, BySigner
	}
	return by, ""
}

// BySigner is why an approval by who signed the release does not count, where the policy
// does not let them.
const BySigner = "it is by the signer of the release, and the policy wants somebody else"

// Signed reports whether an approver signed the release, in any way by which the policy
// knows that person.
func (q Question) Signed(name string) bool {
	return q.Signer != "" && slices.ContainsFunc(q.Approvers, func(a Approver) bool {
		return a.Name == name && a.Trust.Names(q.Signer, "")
	})
}

// revoked returns when approvals were revoked, by ID. Every approver of the policy
// may revoke.
func (f *Found) revoked(q Question) map[string]time.Time {
	all := map[string]time.Time{}
	for _, text := range f.Revocations {
		for _, approver := range q.Approvers {
			predicate, err := approver.Trust.Check(text, q.Record, Revocation, "")
			if err != nil {
				continue
			}
			var r revoked
			if json.Unmarshal(predicate, &r) == nil {
				all[r.ID] = r.From
			}
		}
	}
	return all
}
