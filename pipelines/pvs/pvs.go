// Package pvs keeps the names of the PVs that each IOC of a release serves in the
// beamline's namespace, so that they are found with the registry down.
package pvs

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// Labels and key of a ConfigMap that holds the PVs of one release.
const (
	labelPVs    = "tagline.pvs" // the digest of the record, as far as a label holds it
	key         = "pvs.gz"
	mostPerPart = 20_000 // PVs in one ConfigMap, which holds a megabyte
)

// PV is one PV of a release.
type PV struct {
	Instance string `json:"instance"`
	Name     string `json:"name"`
	Type     string `json:"type"` // the record type: "ai", "motor"
}

// Of returns the PVs that the tests of a release saw, by instance.
func Of(rec *record.Record) (all []PV) {
	for _, test := range rec.Checks {
		if test.Name != record.BootTest {
			continue
		}
		for _, pv := range test.PVs {
			all = append(all, PV{Instance: test.Of, Name: pv.Name, Type: pv.Type})
		}
	}
	return all
}

// Save writes the PVs of the release whose record has the digest, and drops those
// of releases that are not in kept, a list of digests.
func Save(ctx context.Context, n *cluster.Namespace, digest asset.Digest, all []PV, kept []asset.Digest) error {
	maps := n.Client.CoreV1().ConfigMaps(n.Name)
	part := 0
	for chunk := range slices.Chunk(all, mostPerPart) {
		text, err := pack(chunk)
		if err != nil {
			return err
		}
		cm := &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{
				Name:   fmt.Sprintf("tagline-pvs-%.12s-%d", label(digest), part),
				Labels: map[string]string{labelPVs: label(digest), cluster.LabelBeamline: n.Beamline},
			},
			BinaryData: map[string][]byte{key: text},
		}
		if _, err := maps.Create(ctx, cm, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			return cluster.Broken("writing the PVs of "+n.Beamline, err)
		}
		part++
	}
	return drop(ctx, n, append(slices.Clone(kept), digest))
}

// drop deletes the PVs of releases that nobody goes back to.
func drop(ctx context.Context, n *cluster.Namespace, kept []asset.Digest) error {
	maps := n.Client.CoreV1().ConfigMaps(n.Name)
	list, err := maps.List(ctx, metav1.ListOptions{LabelSelector: labelPVs})
	if err != nil {
		return cluster.Broken("listing the PVs of "+n.Beamline, err)
	}
	for _, cm := range list.Items {
		if slices.ContainsFunc(kept, func(digest asset.Digest) bool { return label(digest) == cm.Labels[labelPVs] }) {
			continue
		}
		if err := maps.Delete(ctx, cm.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return cluster.Broken("dropping old PVs of "+n.Beamline, err)
		}
	}
	return nil
}

// Read returns the PVs of the release whose record has the digest, as they were
// saved: lines that Find searches.
func Read(ctx context.Context, n *cluster.Namespace, digest asset.Digest) (string, error) {
	list, err := n.Client.CoreV1().ConfigMaps(n.Name).List(
		ctx, metav1.ListOptions{LabelSelector: labelPVs + "=" + label(digest)},
	)
	if err != nil {
		return "", cluster.Broken("reading the PVs of "+n.Beamline, err)
	}
	var lines strings.Builder
	for _, cm := range list.Items {
		r, err := gzip.NewReader(bytes.NewReader(cm.BinaryData[key]))
		if err != nil {
			return "", cluster.Broken("reading the PVs of "+n.Beamline, err)
		}
		if _, err := io.Copy(&lines, r); err != nil {
			return "", cluster.Broken("reading the PVs of "+n.Beamline, err)
		}
	}
	return lines.String(), nil
}

// Find returns the PVs, of lines that Read returned, whose whole name a pattern
// matches. Patterns are regular expressions, and without meta characters names.
func Find(lines string, patterns []string) ([]PV, error) {
	expression, err := regexp.Compile(`^(?:` + strings.Join(patterns, "|") + `)$`)
	if err != nil {
		return nil, err
	}
	var found []PV
	for line := range strings.Lines(lines) {
		name, rest, _ := strings.Cut(line, "\t")
		if expression.MatchString(name) {
			instance, kind, _ := strings.Cut(strings.TrimSuffix(rest, "\n"), "\t")
			found = append(found, PV{Name: name, Instance: instance, Type: kind})
		}
	}
	return found, nil
}

// pack compresses PVs to a line each: name, instance and type.
func pack(all []PV) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	for _, pv := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\n", pv.Name, pv.Instance, pv.Type)
	}
	err := w.Close()
	return b.Bytes(), err
}

// label returns as much of a digest as a label holds.
func label(digest asset.Digest) string {
	_, hex, _ := strings.Cut(string(digest), ":")
	return hex[:min(63, len(hex))]
}
