package promote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/events"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/step"
)

const (
	// lookAgain is how long a watch waits before each look. There is none at once, as
	// a record that was never processed since its IOC started is in INVALID alarm.
	lookAgain = 5 * time.Second
	// lookWithin is how long a look may take, for an IOC or a cluster that hangs.
	lookWithin = 30 * time.Second
)

// watched returns the IOCs that the watch looks at: those that the change touched and
// that must live. It is asked for while the change is under way.
func (m *move) watched(c *change) []record.Instance {
	if m.verify == nil || len(c.former) == 0 {
		return nil
	}
	return slices.DeleteFunc(m.required(c, m.ready), func(inst record.Instance) bool {
		_, touched := c.former[inst.Name]
		return !touched
	})
}

// watchRemedy watches the beamline after a rollback, which is written down as done:
// nothing that is found, and nobody who stops the watch, takes it back. The error is of
// kind diag.Unwell when something is not as it was before.
func (m *move) watchRemedy(
	ctx context.Context, c *change, watched []record.Instance, deed *events.Deed,
) (verified string, err error) {
	if m.verify != nil && len(c.former) > 0 {
		m.toBeWatched(deed)
	}
	verified, err = m.watch(ctx, c, watched)
	switch {
	case err == nil:
		return verified, nil
	case errors.Is(err, ledger.ErrLockLost) || m.held.Err() != nil:
		return "inconclusive: " + ledger.ErrLockLost.Error(), nil
	case ctx.Err() != nil:
		return "inconclusive: the watch was interrupted", nil
	}
	var lines []string
	for _, e := range diag.All(err) {
		lines = append(lines, e.Error())
	}
	now := m.to.Record.Version
	return "not as before: " + strings.Join(lines, ", "), m.failure(diag.Unwell, err, fmt.Sprintf(
		"the beamline runs %s and stays there, as %s, which it left, is no remedy: see tagline status %s, "+
			"mend what the IOC needs, or name an earlier release to tagline rollback",
		now, deed.From, m.to.Record.Asset,
	))
}

// watch looks at the IOCs that the change touched, and at the policy's PVs, for as
// long as the policy says. It returns what came of it, "verified 2m" or
// "inconclusive: …"; nothing where nothing is to be watched. The error joins what
// is not as it was.
func (m *move) watch(ctx context.Context, c *change, watched []record.Instance) (verified string, err error) {
	if m.verify == nil || len(c.former) == 0 {
		return "", nil
	}
	length, err := m.verify.For.Duration()
	if err != nil {
		return "", err // the schema refuses it
	}
	served, err := m.served(ctx, &m.to) // which may be very many: not again for each look
	if err != nil {
		m.former = m.unaskable(err) // then no PV is compared
	}
	servers := m.servers(served)
	var unknown []string
	name := fmt.Sprintf("watching %s for %s", m.to.Record.Asset, m.verify.For)
	err = step.Run(ctx, name, func(ctx context.Context) error {
		end := time.Now().Add(length)
		for last := false; !last; {
			left := time.Until(end)
			last = left <= lookAgain
			if err := wait(ctx, min(left, lookAgain)); err != nil {
				return err
			}
			if unknown, err = m.look(ctx, watched, servers); err != nil {
				return err
			}
		}
		verified = "verified " + string(m.verify.For)
		if unknown = append(m.incomparable(), unknown...); len(unknown) > 0 {
			verified = "inconclusive: " + strings.Join(unknown, "; ")
		}
		step.Say(ctx, name, verified)
		return nil
	})
	return verified, err
}

// wait returns after some time, or with the reason why ctx ended.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// look judges the beamline now. It returns what could not be judged; the error joins
// what is not as it was. A PV is bad when it is so as often as tries says.
func (m *move) look(
	ctx context.Context, watched []record.Instance, servers map[string]string,
) (unknown []string, err error) {
	soon, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	for try := 1; ; try++ {
		var faults []error
		states, _, err := pods.States(soon, m.Cluster)
		if err != nil {
			unknown = []string{err.Error()}
		} else {
			if err := m.steady(ctx, watched, states); err != nil {
				return nil, err
			}
			now := m.alarms(soon, &m.to.Record, servers, states)
			unknown, faults = m.compare(ctx, now, servers, states)
		}
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case len(faults)+len(unknown) == 0 || try == tries:
			return unknown, errors.Join(faults...)
		}
		if err := wait(soon, tryAgain); err != nil && ctx.Err() == nil {
			return append(unknown, fmt.Sprintf("a look took longer than %s", lookWithin)), nil
		}
	}
}

// steady wants each watched IOC in the pod in which it got ready, without a restart.
func (m *move) steady(ctx context.Context, watched []record.Instance, states map[string]pods.State) error {
	var errs []error
	for _, inst := range watched {
		was, now := m.ready[inst.Name], states[inst.Name]
		why := ""
		switch {
		case now.UID == was.UID && now.Restarts > was.Restarts:
			why = "it was restarted after it was ready, and ended with " + now.Ended
		case now.UID == was.UID && now.Beside > was.Beside:
			why = "a container beside it was restarted after it was ready"
		case now.UID != "" && now.UID != was.UID:
			why = "its pod was replaced after it was ready"
		case !now.Ready:
			why = "it was ready and is no longer: " + now.Doing
		}
		if why != "" {
			now.Instance = inst.Name // of one whose Deployment is gone too
			errs = append(errs, m.explain(ctx, now, why))
		}
	}
	return errors.Join(errs...)
}

// explain returns what the cluster knows about an instance, for which it has ten
// seconds.
func (m *move) explain(ctx context.Context, s pods.State, why string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return pods.Explain(ctx, m.Cluster, s, errors.New(why))
}
