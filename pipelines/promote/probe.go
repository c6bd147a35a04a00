package promote

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
	states, _, err := pods.States(ctx, m.Cluster)
	if err != nil {
		return nil, err
	}
	values, mu := map[string]string{}, sync.Mutex{}
	err = step.Each(ctx, sideBySide, instances, func(ctx context.Context, inst record.Instance) error {
		if inst.ProbePV == "" {
			return nil // an instance with a chart of its own may not be an IOC at all
		}
		value, err := m.askOne(ctx, inst, states[inst.Name])
		mu.Lock()
		defer mu.Unlock()
		values[inst.Name] = value
		return err
	})
	return values, err
}

func (m *move) askOne(ctx context.Context, inst record.Instance, s pods.State) (value string, err error) {
	for range tries {
		var out string
		out, err = pods.Exec(ctx, m.Cluster, s, question(inst)...)
		if value = answer(inst, out); err == nil && value != "" {
			step.Say(ctx, inst.Name, inst.ProbePV+" = "+value)
			return value, nil
		}
		if err == nil {
			err = errors.New("the answer was empty")
		}
		select {
		case <-ctx.Done():
		case <-time.After(tryAgain):
		}
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

// question is the command that reads an instance's PV in its own container. The
// loopback's broadcast reaches every IOC of a host that shares its network; the
// PV's name picks this one.
func question(inst record.Instance) []string {
	if inst.Protocol == "pva" {
		return []string{"/usr/bin/env", "EPICS_PVA_AUTO_ADDR_LIST=YES", "pvget", "-w", "3", inst.ProbePV}
	}
	return []string{
		"/usr/bin/env",
		"EPICS_CA_ADDR_LIST=127.255.255.255",
		"EPICS_CA_AUTO_ADDR_LIST=NO",
		"caget",
		"-t",
		"-w",
		"3",
		inst.ProbePV,
	}
}

// answer returns the value in what caget -t or pvget printed.
func answer(inst record.Instance, printed string) string {
	fields := strings.Fields(printed)
	if len(fields) > 0 && inst.Protocol == "pva" && fields[0] == inst.ProbePV {
		fields = fields[1:] // pvget says the name first
	}
	return strings.Join(fields, " ")
}
