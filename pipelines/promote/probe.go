package promote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// A PV is read this often before its IOC counts as dead: the first search
// after a start may be lost.
const (
	tries    = 3
	tryAgain = time.Second
)

// ask reads every IOC's PV inside its own pod and returns the values by instance.
// The error joins a *pods.Trouble for each that does not answer.
func (m *move) ask(ctx context.Context, instances []record.Instance) (map[string]string, error) {
	values, mu := map[string]string{}, sync.Mutex{}
	err := step.Each(ctx, sideBySide, instances, func(ctx context.Context, inst record.Instance) error {
		if inst.ProbePV == "" {
			return nil // a service
		}
		value, err := m.askOne(ctx, inst, m.ready[inst.Name])
		mu.Lock()
		defer mu.Unlock()
		values[inst.Name] = value
		return err
	})
	return values, err
}

func (m *move) askOne(ctx context.Context, inst record.Instance, s pods.State) (string, error) {
	value, err := insist(ctx, func() (string, error) {
		return pods.ReadPV(ctx, m.Cluster, s, inst.ProbePV, inst.Protocol)
	})
	if err == nil {
		step.Say(ctx, inst.Name, inst.ProbePV+" = "+value)
		return value, nil
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return "", pods.Explain(
		last,
		m.Cluster,
		s,
		fmt.Errorf("it is ready but %s does not answer over %s: %w", inst.ProbePV, inst.Protocol, err),
	)
}

// insist asks until there is an answer, ctx ends, or the IOC has not answered as often
// as tries says. A cluster that can't be reached or is too busy says nothing of the
// IOC: that is not counted.
func insist(ctx context.Context, ask func() (string, error)) (value string, err error) {
	for left := tries; left > 0; {
		if value, err = ask(); err == nil {
			return value, nil
		}
		if network := net.Error(nil); !errors.As(err, &network) {
			left--
		}
		if wait(ctx, tryAgain) != nil {
			return "", err
		}
	}
	return "", err
}
