package policy

import "slices"

// Guard is the values of the chart beamline-guard that follow from a policy.
type Guard struct {
	Registries []string `json:"registries"` // as "ghcr.io/some-org": where images come from
	// Consents are sorted, in the words of the policy. The cluster can't know whose pod is
	// whose but by names, which whoever makes pods chooses: so they are of the namespace.
	Consents []string `json:"consents"`
}

// Guard returns the values of the guard of the beamline's namespace. registry is that of
// its releases, with the beginning of their paths.
func (p *Policy) Guard(registry string) Guard {
	g := Guard{Registries: []string{registry}, Consents: []string{}}
	for _, c := range p.Consents {
		g.Consents = append(g.Consents, c.To...)
	}
	slices.Sort(g.Consents)
	g.Consents = slices.Compact(g.Consents)
	return g
}
