// Package assettest parses the words of package asset for tests, which panic
// where one is wrong.
package assettest

import "github.com/tagline-ci/tagline/pipelines/asset"

// Version parses a version.
func Version(s string) asset.Version { return must(asset.ParseVersion(s)) }

// Tag parses a git tag.
func Tag(s string) asset.Tag { return must(asset.ParseTag(s)) }

// Pin parses a pin.
func Pin(s string) asset.Pin { return must(asset.ParsePin(s)) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
