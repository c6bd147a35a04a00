package recipefile

import (
	"path"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/startup"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// checkSmoke wants a smoke test for every IOC, and for nothing else.
func (r *reader) checkSmoke(img *recipe.Image, doc *strictyaml.Doc) {
	switch ioc, smoke := doc.Has("ioc"), doc.Has("smoke"); {
	case ioc && !smoke:
		r.faultAt(
			doc, strictyaml.Path{"ioc"}, "add smoke with a start-up script and checks", "this IOC has no smoke test",
		)
	case smoke && !ioc:
		r.faultAt(doc, strictyaml.Path{"smoke"}, "add ioc, or remove smoke", "a smoke test without an IOC")
	}
	if img.Smoke == nil {
		return
	}
	place := strictyaml.Path{"smoke", "config"}
	if img.Smoke.Config != "" {
		if folder, ok := r.folder(doc, place, path.Dir(img.File), img.Smoke.Config); ok {
			_, err := startup.Config(r.fsys, folder)
			r.faults.Add(err)
		}
	}
	for i, one := range img.Smoke.Beside {
		where := strictyaml.Path{"smoke", "beside", i}
		if (one.Image == "") == (one.Folder == "") {
			r.faultAt(
				doc, where, "name a container image by digest, or a folder",
				"a simulator is in an image or in a folder",
			)
		} else if one.Folder != "" {
			r.folder(doc, where, path.Dir(img.File), strings.TrimPrefix(one.Folder, path.Dir(img.File)+"/"))
		}
	}
	for i, c := range img.Smoke.Checks {
		r.checkCheck(c, strictyaml.Path{"smoke", "checks", i}, doc)
	}
}

// checkCheck refuses a check that can't fail, or can't pass.
func (r *reader) checkCheck(c recipe.Check, place strictyaml.Path, doc *strictyaml.Doc) {
	has := func(key string) bool { return doc.Has(append(place[:len(place):len(place)], key)...) }
	ranged := has("min") || has("max")
	switch {
	case has("put") && !has("value") && !ranged && !has("advances"):
		r.faultAt(doc, place, "add value, or min and max", "it writes to %s and then compares nothing", c.PV)
	case (has("value") || has("put")) && multiline(c):
		r.faultAt(doc, place, "write one line", "a text of several lines can't be compared with %s", c.PV)
	case has("reads") && !has("put"):
		r.faultAt(doc, place, "name that PV in pv, or add put", "reads without put: nothing is written to %s", c.PV)
	case has("value") && (ranged || has("advances")):
		r.faultAt(doc, place, "keep one of them", "the value of %s must be one and also in a range or another", c.PV)
	case c.Min != nil && c.Max != nil && *c.Min > *c.Max:
		r.faultAt(
			doc, place, "exchange them", "no value of %s is both at least %v and at most %v", c.PV, *c.Min, *c.Max,
		)
	}
}

// multiline reports whether a check writes or compares a text of several lines,
// which the file that ioc-ask reads can't hold.
func multiline(c recipe.Check) bool {
	for _, text := range []*string{c.Put, c.Value} {
		if text != nil && strings.ContainsAny(*text, "\r\n") {
			return true
		}
	}
	return false
}
