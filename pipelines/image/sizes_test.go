package image

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
)

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
