package image

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

func TestEveryModuleIsToldTheTargets(t *testing.T) {
	img := &recipe.Image{Targets: []string{"linux-aarch64", "RTEMS-pc686"}}
	require.Equal(t, "CROSS_COMPILER_TARGET_ARCHS = linux-aarch64 RTEMS-pc686\nTIRPC = YES\n", site(img, "TIRPC = YES"))
	// What EPICS Base was built for does not count where an image names none.
	require.Equal(t, "CROSS_COMPILER_TARGET_ARCHS = \n", site(&recipe.Image{}))
	require.Contains(t, crossSite("linux-aarch64"), "GNU_TARGET = aarch64-linux-gnu\nGNU_DIR = /usr\n")
}

func TestNoPackages(t *testing.T) {
	img := &recipe.Image{
		File: "generic-iocs/a/image.yaml", Build: []string{"gbd"}, Lines: map[string]int{"gbd": 4},
		Modules: []recipe.ModuleRef{{Name: "asyn"}},
	}
	b := Builder{Tree: &recipe.Tree{Modules: map[string]*recipe.Module{
		"asyn": {File: "generic-iocs/support/asyn.yaml", Packages: []string{"libtrpc-dev"}, Lines: map[string]int{"libtrpc-dev": 3}},
	}}}
	said := "Reading package lists...\nE: Unable to locate package gbd\nE: Package 'libtrpc-dev' has no installation candidate\n"
	require.EqualError(t, b.noPackages(img, said), "generic-iocs/a/image.yaml:4: Debian has no package gbd; correct the name, or take it out\n"+
		"generic-iocs/support/asyn.yaml:3: Debian has no package libtrpc-dev; correct the name, or take it out")
	require.NoError(t, b.noPackages(img, "E: Failed to fetch http://deb.debian.org/debian"))
}

func TestSizesOfOwners(t *testing.T) {
	had := readOwners("100 other\n40 Debian bash\n7 epics-base\n")
	have := readOwners("103 other\n40 Debian bash\n9 epics-base\n5 axis\n12 Debian libyaml-0-2\n")
	got := sizes(asset.Runtime, "parent essential", have, had)
	var text []string
	for _, s := range got {
		text = append(text, s.Owner)
	}
	require.Equal(t, []string{"parent essential", "Debian libyaml-0-2", "axis", "other", "epics-base"}, text)
	require.Equal(t, int64(147), got[0].Bytes)
	require.Equal(t, int64(2), got[4].Bytes)
}
