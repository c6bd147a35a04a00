package pods

import (
	"context"
	"errors"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/cluster"
)

// ReadPV reads a PV inside the pod of the IOC that serves it, over protocol "ca"
// or "pva", and returns the value as caget or pvget prints it. An IOC that does
// not answer is an error.
func ReadPV(ctx context.Context, n *cluster.Namespace, s State, pv, protocol string) (string, error) {
	out, err := Exec(ctx, n, s, question(pv, protocol)...)
	if err != nil {
		return "", err
	}
	value := answer(pv, protocol, out)
	if value == "" {
		return "", errors.New("the answer was empty")
	}
	return value, nil
}

// question is the command that reads a PV in the container of its IOC. The
// loopback's broadcast reaches every IOC of a host that shares its network; the
// PV's name picks this one.
func question(pv, protocol string) []string {
	if protocol == "pva" {
		return []string{"/usr/bin/env", "EPICS_PVA_AUTO_ADDR_LIST=YES", "pvget", "-w", "3", pv}
	}
	return []string{
		"/usr/bin/env", "EPICS_CA_ADDR_LIST=127.255.255.255", "EPICS_CA_AUTO_ADDR_LIST=NO", "caget", "-t", "-w", "3",
		pv,
	}
}

// answer returns the value in what caget -t or pvget printed.
func answer(pv, protocol, printed string) string {
	fields := strings.Fields(printed)
	if len(fields) > 0 && protocol == "pva" && fields[0] == pv {
		fields = fields[1:] // pvget says the name first
	}
	return strings.Join(fields, " ")
}
