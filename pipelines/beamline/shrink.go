package beamline

import (
	"fmt"
	"io/fs"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Shrinks returns a *diag.Error for each instance whose autosave volume is smaller
// than it was in a release before, called before in the text: Kubernetes lets a claim
// grow and never shrink. fsys is the tree that b was read from.
func (b *Beamline) Shrinks(fsys fs.FS, was *Beamline, before string) error {
	var faults diag.Faults
	for _, inst := range b.Instances {
		old, err := was.Instance(inst.Name)
		if err != nil || !smaller(inst.Values.Autosave, old.Values.Autosave) {
			continue
		}
		values, err := b.Origins(fsys, inst)
		if err != nil {
			return err
		}
		for _, v := range values {
			if v.Key == "autosave" {
				faults.Addf(v.File, v.Line, fmt.Sprintf("write autosave: %s, or more", old.Values.Autosave),
					"the autosave volume of %s had %s in %s, and Kubernetes can't shrink it to %s",
					inst.Name, old.Values.Autosave, before, inst.Values.Autosave)
			}
		}
	}
	return faults.Err()
}

// smaller reports whether a volume has less than another; one that there is not is
// neither smaller nor larger.
func smaller(now, old string) bool {
	if now == "" || old == "" {
		return false
	}
	a, errA := resource.ParseQuantity(now)
	b, errB := resource.ParseQuantity(old)
	return errA == nil && errB == nil && a.Cmp(b) < 0
}
