package image

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/recipe"
)

func TestEveryModuleIsToldTheTargets(t *testing.T) {
	img := &recipe.Image{Targets: []string{"linux-aarch64", "RTEMS-pc686"}}
	require.Equal(t, "CROSS_COMPILER_TARGET_ARCHS = linux-aarch64 RTEMS-pc686\nTIRPC = YES\n", site(img, "TIRPC = YES"))
	// What EPICS Base was built for does not count where an image names none.
	require.Equal(t, "CROSS_COMPILER_TARGET_ARCHS = \n", site(&recipe.Image{}))
	require.Contains(t, crossSite("linux-aarch64"), "GNU_TARGET = aarch64-linux-gnu\nGNU_DIR = /usr\n")
}
