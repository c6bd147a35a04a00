package record

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// Encode returns the one JSON text of a record: lists sorted, two spaces of
// indent, a final newline. Equal records have equal bytes, and so equal digests.
// A record that Validate refuses has none.
func Encode(r *Record) ([]byte, error) {
	// Twice, because text that is no UTF-8, which an IOC may have printed, only
	// reads back as it was written from the second time on.
	b, err := text(r)
	if err != nil {
		return nil, fmt.Errorf("writing record: %w", err)
	}
	var c Record
	if err := json.Unmarshal(b, &c); err != nil {
		return nil, fmt.Errorf("writing record: %w", err)
	}
	if b, err = c.written(); err != nil {
		return nil, fmt.Errorf("writing %w", err)
	}
	return b, nil
}

// written sorts the lists of a record that was read from JSON, and returns its one text.
func (r *Record) written() ([]byte, error) {
	r.sort()
	if err := r.Validate(); err != nil {
		return nil, fmt.Errorf("record of %s %s: %w", r.Asset, r.Version, err)
	}
	return text(r)
}

// Read reads what Encode gave and refuses everything else: an unknown or
// repeated field, another order, a record that Validate refuses.
func Read(b []byte) (*Record, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var r Record
	if err := d.Decode(&r); err != nil {
		return nil, fmt.Errorf("reading record: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("reading record: there is more after it")
	}
	again, err := r.written()
	if err != nil {
		return nil, fmt.Errorf("reading %w", err)
	}
	if !bytes.Equal(b, again) {
		return nil, fmt.Errorf(
			"reading record of %s %s: it is not written as Tagline writes records", r.Asset, r.Version,
		)
	}
	return &r, nil
}

func text(r *Record) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// sort puts every list whose order means nothing into the order of its names.
// Parents stay as they are: nearest first.
func (r *Record) sort() {
	slices.SortStableFunc(r.Artifacts, func(a, b Artifact) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Ref, b.Ref))
	})
	slices.SortStableFunc(r.Sources, func(a, b Source) int { return cmp.Compare(a.Module, b.Module) })
	slices.SortStableFunc(r.Instances, func(a, b Instance) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortStableFunc(r.Checks, func(a, b Test) int {
		return cmp.Or(cmp.Compare(a.Of, b.Of), cmp.Compare(a.Name, b.Name))
	})
	for i := range r.Checks {
		slices.SortStableFunc(r.Checks[i].PVs, func(a, b PV) int {
			return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type))
		})
	}
	if r.Recipe != nil {
		slices.SortStableFunc(r.Recipe.Modules, func(a, b Module) int { return cmp.Compare(a.Name, b.Name) })
	}
	slices.Sort(r.Gate.Approvers)
}
