// Package sbom lists what an image is made of, from what is known without
// looking into its files: Debian's packages, and the support modules that were
// built from source, which no scanner recognises.
package sbom

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spdx/tools-golang/spdx/v2/common"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"

	"github.com/tagline-ci/tagline/pipelines/record"
)

// Image is an image and what it is made of.
type Image struct {
	Name     string // "ioc-simstage-runtime"
	Version  string // as in the tag
	Digest   string // of its manifest, "sha256:…"
	Commit   string // of the tag, 40 hex digits
	Created  time.Time
	Tool     string          // Tagline's version
	Packages []Package       // of Debian
	Modules  []record.Source // support modules built into it, its parents' too
}

// Package is an installed Debian package.
type Package struct {
	Name         string // "libtirpc3t64"
	Version      string // "1.3.6+ds-1"
	Architecture string // "amd64", "all"
	Source       string // the source package it was built from, "libtirpc"
}

// Document returns the SPDX 2.3 document of an image; marshalled to JSON it is
// what scanners read. Equal images have equal documents: Created is the time of
// the tagged commit, not of this run.
func Document(img Image) *spdx.Document {
	root := &spdx.Package{
		PackageName: img.Name, PackageSPDXIdentifier: "image", PackageVersion: img.Version,
		PrimaryPackagePurpose:   "CONTAINER",
		PackageDownloadLocation: "NOASSERTION",
		PackageChecksums: []common.Checksum{{
			Algorithm: common.SHA256, Value: strings.TrimPrefix(img.Digest, "sha256:"),
		}},
		PackageSourceInfo: "built from git commit " + img.Commit,
	}
	d := &spdx.Document{
		SPDXVersion: spdx.Version, DataLicense: spdx.DataLicense, SPDXIdentifier: "DOCUMENT",
		DocumentName:      img.Name + " " + img.Version,
		DocumentNamespace: "https://github.com/tagline-ci/tagline/spdx/" + url.PathEscape(img.Name+"@"+img.Digest),
		CreationInfo: &spdx.CreationInfo{Created: img.Created.UTC().Format(time.RFC3339),
			Creators: []common.Creator{{CreatorType: "Tool", Creator: "tagline-" + img.Tool}}},
		Packages: []*spdx.Package{root},
	}
	d.Relationships = append(d.Relationships, relation("DOCUMENT", common.TypeRelationshipDescribe, "image"))
	for _, m := range sorted(img.Modules, func(m record.Source) string { return m.Module }) {
		contain(d, module(m))
	}
	for _, p := range sorted(img.Packages, func(p Package) string { return p.Name + ":" + p.Architecture }) {
		contain(d, debian(p))
	}
	return d
}

// contain adds a package that the image contains.
func contain(d *spdx.Document, p *spdx.Package) {
	d.Packages = append(d.Packages, p)
	d.Relationships = append(d.Relationships, relation(
		"image", common.TypeRelationshipContains, p.PackageSPDXIdentifier,
	))
}

// module returns a support module built from source.
func module(m record.Source) *spdx.Package {
	from := "git+" + m.URL + "@" + m.Commit
	p := &spdx.Package{
		PackageName: m.Module, PackageSPDXIdentifier: id("module", m.Module), PackageVersion: m.Ref,
		PackageDownloadLocation: from, PrimaryPackagePurpose: "LIBRARY", PackageLicenseDeclared: m.Licence,
		PackageExternalReferences: purl(fmt.Sprintf(
			"pkg:generic/%s@%s?vcs_url=%s", url.PathEscape(m.Module), url.PathEscape(m.Ref), url.QueryEscape(from),
		)),
	}
	if m.URL == "tree" { // its source is in the repository of the tag
		p.PackageDownloadLocation, p.PackageVersion = "NOASSERTION", m.Commit
		p.PackageSourceInfo = "folder " + m.Ref + " of the tagged repository, hash " + m.Commit
		p.PackageExternalReferences = nil
	}
	return p
}

// debian returns a package of Debian.
func debian(p Package) *spdx.Package {
	return &spdx.Package{
		PackageName: p.Name, PackageSPDXIdentifier: id("deb", p.Name+"-"+p.Architecture), PackageVersion: p.Version,
		PackageDownloadLocation: "NOASSERTION", PackageSourceInfo: "built from Debian source package " + p.Source,
		PackageSupplier: &common.Supplier{SupplierType: "Organization", Supplier: "Debian"},
		PackageExternalReferences: purl(fmt.Sprintf(
			"pkg:deb/debian/%s@%s?arch=%s", url.PathEscape(p.Name), url.QueryEscape(p.Version), p.Architecture,
		)),
	}
}

// purl is a package's URL, the name that vulnerability databases know it by.
func purl(locator string) []*spdx.PackageExternalReference {
	return []*spdx.PackageExternalReference{{
		Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL, Locator: locator,
	}}
}

var notInID = regexp.MustCompile(`[^a-zA-Z0-9.-]`)

// id returns the name of a package in the document.
func id(kind, name string) common.ElementID {
	return common.ElementID(
		kind + "-" + notInID.ReplaceAllStringFunc(name, func(s string) string { return fmt.Sprintf("-%x-", s) }),
	)
}

func relation(a common.ElementID, kind string, b common.ElementID) *spdx.Relationship {
	return &spdx.Relationship{
		RefA: common.MakeDocElementID("", string(a)), RefB: common.MakeDocElementID("", string(b)), Relationship: kind,
	}
}

// sorted returns a copy of a list in the order of its names, each once.
func sorted[T any](list []T, name func(T) string) []T {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b T) int { return cmp.Compare(name(a), name(b)) })
	return slices.CompactFunc(list, func(a, b T) bool { return name(a) == name(b) })
}
