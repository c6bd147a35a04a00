// Package links holds addresses of a site's own pages about an IOC: its screens, its
// archive of logs, its entry in an inventory.
package links

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Link is the address of a site's page about any IOC: "https://logs.example.org/?q={ioc}".
type Link struct {
	Name     string // as people see it: "screens"
	template string
}

// Logs is the name of the link to the site's archive of logs.
const Logs = "logs"

// Of is the IOC that an address is of. Empty fields are left empty in it.
type Of struct{ Beamline, Namespace, IOC, Version, Node, Pod string }

func (o Of) values() map[string]string {
	return map[string]string{
		"{beamline}": o.Beamline, "{namespace}": o.Namespace, "{ioc}": o.IOC, "{version}": o.Version,
		"{node}": o.Node, "{pod}": o.Pod,
	}
}

var place = regexp.MustCompile(`\{[^{}]*\}`)

// Parse reads links that are written as "screens=https://screens.example.org/{ioc}.bob".
// The error is of kind Invalid when one is not written so, has no http or https address,
// names a place that there is not, or has the name of another.
func Parse(items []string) ([]Link, error) {
	var all []Link
	var faults []error
	for _, item := range items {
		name, template, _ := strings.Cut(item, "=")
		invalid := func(format string, args ...any) {
			faults = append(faults, &diag.Error{
				Kind: diag.Invalid, Doing: "reading the link " + item, Err: fmt.Errorf(format, args...),
				Fix: "write it as screens=https://screens.example.org/{ioc}.bob",
			})
		}
		u, err := url.Parse(place.ReplaceAllString(template, "x"))
		switch {
		case name == "" || template == "":
			invalid("it is not a name and an address")
		case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
			invalid("its address is not one of http or https")
		case u.User != nil:
			invalid("it has a login in it, which everybody would see")
		case slices.ContainsFunc(all, func(l Link) bool { return l.Name == name }):
			invalid("there is another link of that name")
		}
		for _, p := range place.FindAllString(template, -1) {
			if _, known := (Of{}).values()[p]; !known {
				invalid("%s is none of {beamline}, {namespace}, {ioc}, {version}, {node} and {pod}", p)
			}
		}
		all = append(all, Link{name, template})
	}
	return all, errors.Join(faults...)
}

// For returns the address of an IOC, with what is put in escaped.
func (l Link) For(ioc Of) string {
	values := ioc.values()
	path, query, asked := strings.Cut(l.template, "?")
	path = place.ReplaceAllStringFunc(path, func(p string) string { return url.PathEscape(values[p]) })
	if !asked {
		return path
	}
	return path + "?" + place.ReplaceAllStringFunc(query, func(p string) string { return url.QueryEscape(values[p]) })
}
