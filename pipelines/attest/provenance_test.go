package attest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/record"
)

func TestProvenanceNamesAllThatWentIn(t *testing.T) {
	base := "sha256:" + strings.Repeat("ab", 32)
	rec := &record.Record{
		Asset:   "ioc-simstage",
		Version: assettest.Version("1.0.0"),
		Tag:     assettest.Tag("ioc-simstage/1.0.0"),
		Commit:  strings.Repeat("0a", 20),
		Tool:    "1.2.3",
		Parents: record.Parents{Releases: []record.Parent{
			{
				Asset: "epics-base", Version: assettest.Version("7.0.8.1r1.0"),
				Ref: asset.Ref("ghcr.io/o/epics-base-developer@" + base), Digest: asset.Digest(base),
			}},
		},
		Sources: []record.Source{
			{
				Module: "asyn",
				URL:    "https://github.com/epics-modules/asyn",
				Ref:    "R4-45",
				Commit: strings.Repeat("1b", 20),
			},
			{
				Module: "simstage",
				URL:    "tree",
				Ref:    "generic-iocs/ioc-simstage/simstage",
				Commit: strings.Repeat("2c", 20),
				From:   &record.Origin{Release: assettest.Tag("ioc-simstage/0.9.0"), Record: asset.Digest(base)},
			},
		},
	}
	how := provenance(rec, record.Artifact{Target: "runtime"}, "https://github.com/o/site")
	require.Equal(t, rec.Commit, how.commit())
	text, err := json.Marshal(how)
	require.NoError(t, err)
	require.JSONEq(t, `{
		"buildDefinition": {
			"buildType": "https://github.com/tagline-ci/tagline/image/v1",
			"externalParameters": {"tag": "ioc-simstage/1.0.0", "target": "runtime"},
			"resolvedDependencies": [
				{"name": "repository", "uri": "git+https://github.com/o/site@refs/tags/ioc-simstage/1.0.0", "digest": {"gitCommit": "`+strings.Repeat("0a", 20)+`"}},
				{"name": "epics-base", "uri": "oci://ghcr.io/o/epics-base-developer@`+base+`", "digest": {"sha256": "`+strings.Repeat("ab", 32)+`"}},
				{"name": "asyn", "uri": "git+https://github.com/epics-modules/asyn@R4-45", "digest": {"gitCommit": "`+strings.Repeat("1b", 20)+`"}},
				{"name": "simstage", "digest": {"gitTree": "`+strings.Repeat("2c", 20)+`"}},
				{"name": "ioc-simstage/0.9.0", "digest": {"sha256": "`+strings.Repeat("ab", 32)+`"}}
			]
		},
		"runDetails": {"builder": {"id": "https://github.com/tagline-ci/tagline", "version": {"tagline": "1.2.3"}}}
	}`, string(text))
	require.Empty(t, provenance(rec, record.Artifact{}, "").BuildDefinition.ResolvedDependencies[0].URI)
}
