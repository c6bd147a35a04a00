package operate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/events"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/status"
)

// LongestAcknowledgement is how long an acknowledgement may hold: past the weekend, and
// not for ever.
const LongestAcknowledgement = 7 * 24 * time.Hour

// Acknowledge writes down who knows of the troubles of IOCs, for how long and why. It
// holds for what is wrong now, and ends when an IOC is well or in another trouble. It
// changes no IOC and waits for no lock. The error is of kind diag.Refused where nothing is
// wrong with one of them, and then none is acknowledged.
func Acknowledge(ctx context.Context, o Order, length time.Duration) error {
	if err := o.reasoned("acknowledgement"); err != nil {
		return err
	}
	if err := o.bounded(length); err != nil {
		return err
	}
	iocs, now, err := o.read(ctx)
	if err != nil {
		return err
	}
	given := map[string]ledger.Acknowledgement{}
	var errs []error
	for _, name := range o.Instances {
		trouble, wrong := iocs[name].Trouble(now)
		if !wrong {
			errs = append(errs, o.nothing(iocs[name]))
		}
		given[name] = ledger.Acknowledgement{
			Note: ledger.Note{By: o.Holder, Since: now, Reason: o.Reason}, Until: now.Add(length), Trouble: trouble,
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	err = ledger.Acknowledge(ctx, o.Cluster, func(all map[string]ledger.Acknowledgement) {
		over(all, iocs, now)
		maps.Copy(all, given)
	})
	if err != nil {
		return err
	}
	var deeds []events.Deed
	for _, name := range slices.Sorted(maps.Keys(given)) {
		deeds = append(deeds, events.Deed{Entry: given[name].Entry(name)})
	}
	events.Write(ctx, o.Cluster, deeds...)
	return nil
}

// Withdraw ends acknowledgements before their time. The error is of kind diag.Refused
// where one of the IOCs has none that holds.
func Withdraw(ctx context.Context, o Order) error {
	const did = "withdraw"
	if err := o.reasoned(did); err != nil {
		return err
	}
	iocs, now, err := o.read(ctx)
	if err != nil {
		return err
	}
	for _, name := range o.Instances {
		if iocs[name].Acknowledged == nil {
			return &diag.Error{Kind: diag.Refused, Doing: "withdrawing the acknowledgement of", Asset: name,
				Err: errors.New("it has none that holds"), Fix: o.look()}
		}
	}
	err = ledger.Acknowledge(ctx, o.Cluster, func(all map[string]ledger.Acknowledgement) {
		over(all, iocs, now)
		for _, name := range o.Instances {
			delete(all, name)
		}
	})
	if err == nil {
		o.remember(ctx, did, false, nil)
	}
	return err
}

// bounded returns an error of kind diag.Invalid where an acknowledgement has no end, or
// one that is too far away.
func (o Order) bounded(length time.Duration) error {
	refused := &diag.Error{
		Kind: diag.Invalid, Doing: "acknowledgement of", Asset: o.Cluster.Beamline,
		Fix: "say for how long with --until, as in 8h",
	}
	switch {
	case length <= 0:
		refused.Err = errors.New("no end is given")
	case length > LongestAcknowledgement:
		refused.Err = fmt.Errorf(
			"it would hold for %.0f hours, and may for %.0f", length.Hours(), LongestAcknowledgement.Hours(),
		)
	default:
		return nil
	}
	return refused
}

// read returns all IOCs of the beamline by name, and the time of that. The error is of
// kind diag.Invalid when one of the order's is none of them.
func (o Order) read(ctx context.Context) (iocs map[string]status.IOC, now time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	if _, err := ledger.Known(ctx, o.Cluster); err != nil {
		return nil, now, err
	}
	st, err := status.Read(ctx, o.Cluster)
	if err != nil {
		return nil, now, err
	}
	iocs = map[string]status.IOC{}
	for _, i := range st.Instances {
		iocs[i.Name] = i
	}
	for _, name := range o.Instances {
		if _, there := iocs[name]; !there {
			return nil, now, unknown(o.Cluster.Beamline, name, slices.Sorted(maps.Keys(iocs)))
		}
	}
	return iocs, time.Now().UTC().Truncate(time.Second), nil
}

// over drops what does not hold any more.
func over(all map[string]ledger.Acknowledgement, iocs map[string]status.IOC, now time.Time) {
	maps.DeleteFunc(all, func(name string, a ledger.Acknowledgement) bool {
		trouble, wrong := iocs[name].Trouble(now)
		return !wrong || !a.Holds(trouble, now)
	})
}

// nothing is the error of acknowledging where nothing is wrong.
func (o Order) nothing(i status.IOC) error {
	refused := &diag.Error{
		Kind: diag.Refused, Doing: "acknowledging", Asset: i.Name, Fix: o.look(),
		Err: errors.New("it is well: nothing to acknowledge"),
	}
	if i.Stopped != nil {
		refused.Err = fmt.Errorf(
			"it was stopped by %s, which is no trouble: %s", i.Stopped.By, strings.TrimSpace(i.Stopped.Reason),
		)
	}
	return refused
}

// look says how to see what there is.
func (o Order) look() string { return "see tagline status " + o.Cluster.Beamline }
