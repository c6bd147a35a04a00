package policy

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// events checks who is told of what is done.
func (c checker) events(all []Receiver) {
	var names []string
	for i, r := range all {
		place := strictyaml.Path{"events", i}
		if slices.Contains(names, r.Name) {
			c.fault(below(place, "name"), "give each a name of its own", "%q is there twice", r.Name)
		}
		names = append(names, r.Name)
		if why, fix := badAddress(r.URL); why != "" && r.URL != "" {
			c.fault(below(place, "url"), fix, "%s", why)
		}
	}
}

// badAddress returns why events may not be sent to an address, and what to do; empty
// where they may.
func badAddress(address string) (why, fix string) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "":
		return "the address can't be read", "write it as in https://logbook.some-org.example/hooks/tagline"
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "whoever looks at the namespace would read its password or query",
			"leave them out: events are signed with the receiver's key in the Secret tagline-events"
	case u.Scheme != "https" && (u.Scheme != "http" || !near(u.Hostname())):
		return "events would be sent there unprotected",
			"use https; http is for the machine itself and Services of the cluster, as in http://relay.tools.svc:8080"
	}
	return "", ""
}

// near reports whether a host is the machine itself or a Service of the cluster, to which
// events may go unencrypted.
func near(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".svc") || strings.HasSuffix(host, ".svc.cluster.local")
}
