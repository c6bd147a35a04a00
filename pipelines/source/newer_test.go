package source

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNewest(t *testing.T) {
	for _, test := range []struct {
		tag  string
		tags []string
		want string
	}{
		{"R4-45", []string{"R4-9", "R4-45", "R4-46", "R5-0beta1", "v9.0"}, "R4-46"},
		{"R4-45", []string{"R4-44-2", "R4-45"}, "R4-45"},
		{"R4-45", []string{"R4-45-1"}, "R4-45-1"},
		{"R7.0.8.1", []string{"R7.0.9", "R7.0.10", "R3.16.2"}, "R7.0.10"},
		{"2-6-3", []string{"2-6-4", "R9-0"}, "2-6-4"},
		{"master", []string{"R1-0"}, "master"},
		{"R1", []string{"R99999999999999999999"}, "R1"},
	} {
		refs := remoteRefs{"refs/heads/R99-9": "a"}
		for _, tag := range test.tags {
			refs["refs/tags/"+tag] = "a"
			refs["refs/tags/"+tag+"^{}"] = "b"
		}
		require.Equal(t, test.want, newest(test.tag, refs), test.tag)
	}
}
