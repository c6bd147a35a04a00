package registry

import (
	"archive/tar"
	"io"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
)

func TestInstanceIsItsGenericIOCAndOneLayer(t *testing.T) {
	s := newSite(t)
	r := open(t, s.host, Options{})
	files := map[string][]byte{"st.cmd": []byte("iocInit\n"), "db/a.db": []byte("\xb5"), "db/b.db": nil}
	inst, err := r.NewInstance(t.Context(), "bl01t-a", assettest.Version("2026.11.1"), s.image, files)
	require.NoError(t, err)
	require.Equal(t, record.InstanceType, inst.Artifact.Type)
	require.Equal(t, asset.Ref(s.host+"/instances/bl01t-a:2026.11.1"), inst.Artifact.Ref)
	again, err := r.NewInstance(t.Context(), "bl01t-a", assettest.Version("2026.11.1"), s.image, files)
	require.NoError(t, err)
	require.Equal(t, inst.Artifact, again.Artifact)

	there, err := r.Exists(t.Context(), inst.Artifact.Pinned())
	require.NoError(t, err)
	require.False(t, there, "nothing is pushed yet")
	require.NoError(t, r.PushInstance(t.Context(), inst))
	extends, err := r.Extends(t.Context(), inst.Artifact.Pinned(), s.image)
	require.NoError(t, err)
	require.True(t, extends)

	img, err := r.imageAt(t.Context(), inst.Artifact.Pinned())
	require.NoError(t, err)
	layers, err := img.Layers()
	require.NoError(t, err)
	unpacked, err := layers[len(layers)-1].Uncompressed()
	require.NoError(t, err)
	defer unpacked.Close()
	var names []string
	for r := tar.NewReader(unpacked); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		names = append(names, h.Name)
		if h.Name == "epics/config/db/a.db" {
			text, err := io.ReadAll(r)
			require.NoError(t, err)
			require.Equal(t, "\xb5", string(text))
		}
	}
	require.Equal(t, []string{
		"epics/", "epics/config/", "epics/config/db/", "epics/config/db/a.db", "epics/config/db/b.db",
		"epics/config/st.cmd",
	}, names)
}

// An image that starts another program, or has a layer in between, is not its
// generic IOC.
func TestWhatDoesNotExtend(t *testing.T) {
	s := newSite(t)
	r := open(t, s.host, Options{})
	base, err := r.imageAt(t.Context(), s.image)
	require.NoError(t, err)
	layer, err := random.Layer(16, "application/vnd.docker.image.rootfs.diff.tar.gzip")
	require.NoError(t, err)
	one, err := mutate.AppendLayers(base, layer)
	require.NoError(t, err)
	two, err := mutate.AppendLayers(one, layer)
	require.NoError(t, err)
	other, err := mutate.Config(one, v1.Config{Entrypoint: []string{"/bin/sh"}})
	require.NoError(t, err)
	unrelated, err := random.Image(16, 2)
	require.NoError(t, err)
	for what, c := range map[string]struct {
		img  v1.Image
		want bool
	}{
		"one layer": {one, true}, "two layers": {two, false}, "another entrypoint": {other, false},
		"the base itself": {base, false}, "another image": {unrelated, false},
	} {
		t.Run(what, func(t *testing.T) {
			h, err := c.img.Digest()
			require.NoError(t, err)
			ref, err := name.NewDigest(s.host + "/instances/bl01t-a@" + h.String())
			require.NoError(t, err)
			require.NoError(t, remote.Write(ref, c.img))
			extends, err := r.Extends(t.Context(), asset.Ref(ref.String()), s.image)
			require.NoError(t, err)
			require.Equal(t, c.want, extends)
		})
	}
}

// A list of images has one that extends the generic IOC, and others: which of them a node
// takes, it decides itself.
func TestAListOfImagesExtendsNothing(t *testing.T) {
	s := newSite(t)
	r := open(t, s.host, Options{})
	files := map[string][]byte{"st.cmd": nil}
	good, err := r.NewInstance(t.Context(), "bl01t-a", assettest.Version("1.0.0"), s.image, files)
	require.NoError(t, err)
	list := pushList(t, s.host+"/instances/bl01t-a", good.image)
	below, err := r.imageAt(t.Context(), s.image)
	require.NoError(t, err)
	base := pushList(t, s.host+"/ioc-simstage-runtime", below)
	for what, use := range map[string]func() error{
		"an instance's image": func() error { _, err := r.Extends(t.Context(), list, s.image); return err },
		"a generic IOC's image": func() error {
			_, err := r.Extends(t.Context(), good.Artifact.Pinned(), base)
			return err
		},
		"what is extended": func() error {
			_, err := r.NewInstance(t.Context(), "bl01t-a", assettest.Version("1.0.0"), base, files)
			return err
		},
		"what is run":      func() error { return r.OneImage(t.Context(), base) },
		"what is verified": func() error { _, err := r.Intact(t.Context(), base); return err },
	} {
		err := use()
		require.ErrorContains(t, err, "it is a list of images", what)
		require.Equal(t, diag.Refused, diag.KindOf(err), what)
	}
	require.NoError(t, r.OneImage(t.Context(), s.image))
}

// pushList pushes a list of images for one platform into a repository: first one that is
// good, then another. It returns the list's address.
func pushList(t *testing.T, repository string, good v1.Image) asset.Ref {
	evil, err := random.Image(16, 2)
	require.NoError(t, err)
	amd64 := func(variant string) v1.Descriptor {
		return v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64", Variant: variant}}
	}
	list := mutate.AppendManifests(
		empty.Index, mutate.IndexAddendum{Add: good, Descriptor: amd64("")},
		mutate.IndexAddendum{Add: evil, Descriptor: amd64("v3")},
	)
	h, err := list.Digest()
	require.NoError(t, err)
	ref, err := name.NewDigest(repository + "@" + h.String())
	require.NoError(t, err)
	require.NoError(t, remote.WriteIndex(ref, list))
	return asset.Ref(ref.String())
}
