package plan

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// library is the chart that instance charts are made with.
const library = "ioc-lib"

// beamlines returns the beamlines with affected instances, by name.
func (s *since) beamlines(now asset.Assets) ([]Changed, error) {
	var names []asset.Name
	for _, name := range slices.Sorted(maps.Keys(now)) {
		_, shared := s.touched.shared[name]
		touched := shared || s.touched.instances[name] != nil || len(s.chart) > 0 ||
			s.touched.sources[name] != nil || s.touched.locks[name] != ""
		if now[name] == asset.Beamline && touched {
			names = append(names, name)
		}
	}
	found := make([]*Changed, len(names))
	read := func(_ context.Context, i int) (err error) {
		found[i], err = s.beamline(names[i])
		return err
	}
	var all diag.Faults
	all.Add(step.EachIndex(context.Background(), runtime.GOMAXPROCS(0), len(names), read))
	var list []Changed
	for _, c := range found {
		if c != nil && len(c.Why)+len(c.Instances)+len(c.Removed) > 0 {
			list = append(list, *c)
		}
	}
	return list, all.Err()
}

// beamline returns what is affected of one.
func (s *since) beamline(name asset.Name) (*Changed, error) {
	c := &Changed{Asset: name, Kind: asset.Beamline}
	here, err := instanceNames(s.to, name)
	if err != nil {
		return nil, err
	}
	var shared map[string][]string
	if _, ok := s.touched.shared[name]; ok {
		if c.Why, shared, err = s.shared(name); err != nil {
			return nil, err
		}
	}
	relocked, err := s.relocked(name)
	if err != nil {
		return nil, err
	}
	own := s.touched.instances[name]
	for _, inst := range here {
		why := slices.Concat(files(own[inst]), shared[inst], relocked[inst], s.chart)
		if beamline.HasSources(s.to, instanceFolder(name, inst)) {
			why = append(why, files(s.touched.sources[name])...)
		}
		if len(why) > 0 {
			c.Instances = append(c.Instances, Affected{inst, why})
		}
	}
	for _, inst := range slices.Sorted(maps.Keys(own)) {
		if _, ok := slices.BinarySearch(here, inst); !ok {
			c.Removed = append(c.Removed, inst)
		}
	}
	return c, nil
}

// relocked returns which services have another digest in the beamline's lock than
// before, each with the reason.
func (s *since) relocked(name asset.Name) (map[string][]string, error) {
	file := s.touched.locks[name]
	if file == "" {
		return nil, nil
	}
	now, err := beamline.Read(s.to, name)
	if err != nil {
		return nil, err
	}
	before := map[string]asset.Ref{}
	if was, err := beamline.Read(s.from, name); err == nil { // else all are new
		for _, inst := range was.Instances {
			if inst.Foreign != nil {
				before[inst.Name] = inst.Foreign.Image
			}
		}
	}
	why := map[string][]string{}
	for _, inst := range now.Instances {
		if is := inst.Foreign; is != nil && is.Image != before[inst.Name] {
			why[inst.Name] = []string{file + ": " + string(is.Image)}
		}
	}
	return why, nil
}

// instanceFolder returns the folder of an instance, or of all where inst is empty.
func instanceFolder(name asset.Name, inst string) string {
	return path.Join(beamline.Dir, string(name), "iocs", inst)
}

// instanceNames lists a beamline's instances, sorted, without reading them.
func instanceNames(fsys fs.FS, name asset.Name) ([]string, error) {
	dir := instanceFolder(name, "")
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		_, err = beamline.Read(fsys, name) // which says what to do
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// shared compares what beamline.yaml sets for the instances: whole is what
// concerns the beamline, by instance what changes for that one.
func (s *since) shared(name asset.Name) (whole []string, instances map[string][]string, err error) {
	now, err := beamline.Shared(s.to, name)
	if err != nil {
		return nil, nil, err
	}
	var was *beamline.Beamline
	if s.was[name] == asset.Beamline {
		was, _ = beamline.Shared(s.from, name)
	}
	if was == nil || was.Namespace != now.Namespace {
		return s.allInstances(name, now.File+" changed")
	}
	instances = map[string][]string{}
	if !reflect.DeepEqual(was.Gate, now.Gate) {
		whole = []string{now.File + ": gate changed"}
	}
	if changed := now.Values.Differ(was.Values); len(changed) > 0 {
		if instances, err = s.inherited(name, was.Values, changed); err != nil {
			return nil, nil, err
		}
	}
	if !reflect.DeepEqual(was.Generate, now.Generate) {
		return whole, instances, s.regenerated(name, now.File+": generate changed", instances)
	}
	return whole, instances, nil
}

// regenerated adds a reason for each instance of a beamline that is generated.
func (s *since) regenerated(name asset.Name, why string, to map[string][]string) error {
	names, err := instanceNames(s.to, name)
	for _, inst := range names {
		if beamline.HasSources(s.to, instanceFolder(name, inst)) {
			to[inst] = append(to[inst], why)
		}
	}
	return err
}

// allInstances returns one reason for a beamline and each of its instances.
func (s *since) allInstances(name asset.Name, why string) ([]string, map[string][]string, error) {
	names, err := instanceNames(s.to, name)
	all := map[string][]string{}
	for _, i := range names {
		all[i] = []string{why}
	}
	return []string{why}, all, err
}

// inherited returns which instances see that shared values changed: not those
// that override them. An instance that the older tree doesn't have has files
// that say so.
func (s *since) inherited(
	name asset.Name, was beamline.Values, changed []string,
) (map[string][]string, error) {
	now, err := beamline.ReadValues(s.to, name)
	if err != nil {
		return nil, err
	}
	before, _ := instanceNames(s.from, name) // none when it had none
	why := map[string][]string{}
	for _, i := range now.Instances {
		if _, ok := slices.BinarySearch(before, i.Name); !ok {
			continue
		}
		for _, key := range i.Values.Differ(i.Under(was)) {
			if slices.Contains(changed, key) {
				why[i.Name] = append(why[i.Name], fmt.Sprintf("%s: %s changed", now.File, key))
			}
		}
	}
	return why, nil
}
