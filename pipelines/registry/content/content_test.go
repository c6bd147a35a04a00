package content

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"
)

// archive returns a chart's archive with one file.
func archive(t testing.TB, file, text string) []byte {
	var packed bytes.Buffer
	zipped := gzip.NewWriter(&packed)
	files := tar.NewWriter(zipped)
	require.NoError(t, files.WriteHeader(&tar.Header{Name: file, Mode: 0o644, Size: int64(len(text))}))
	_, err := files.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, files.Close())
	require.NoError(t, zipped.Close())
	return packed.Bytes()
}

// hash returns the digest of one hexadecimal digit, over and over.
func hash(n string) v1.Hash { return v1.Hash{Algorithm: "sha256", Hex: strings.Repeat(n, 64)} }

// An attachment has nothing but what makes it, so that it has one digest, from one
// version of Tagline to the next.
func TestAttachment(t *testing.T) {
	subject := v1.Descriptor{
		MediaType: types.OCIManifestSchema1, Size: 3, Digest: hash("a"),
		Annotations: map[string]string{"who": "lists it"},
	}
	img, err := Attachment(subject, "application/x", "https://kind", []byte("body"))
	require.NoError(t, err)
	text, err := img.RawManifest()
	require.NoError(t, err)
	require.Equal(t, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",`+
		`"config":{"mediaType":"application/x","size":2,`+
		`"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},`+
		`"layers":[{"mediaType":"application/x","size":4,`+
		`"digest":"sha256:230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5"}],`+
		`"annotations":{"dev.sigstore.bundle.content":"dsse-envelope",`+
		`"dev.sigstore.bundle.predicateType":"https://kind"},`+
		`"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":3,"digest":"sha256:`+strings.Repeat("a", 64)+`"}}`,
		string(text))
	for _, c := range []struct {
		media, kind string
		want        bool
	}{
		{"application/x", "https://kind", true}, {"application/y", "https://kind", false},
		{"application/x", "https://other", false},
	} {
		require.Equal(t, c.want, IsAttachment(img, c.media, c.kind), "%s %s", c.media, c.kind)
	}
}

func TestChartThatIsNone(t *testing.T) {
	for what, c := range map[string]struct {
		tgz  []byte
		want string
	}{
		"no archive":    {[]byte("x"), "EOF"},
		"no Chart.yaml": {archive(t, "bl01t/values.yaml", ""), "no Chart.yaml"},
		"one too deep":  {archive(t, "bl01t/charts/lib/Chart.yaml", "name: lib"), "no Chart.yaml"},
		"no YAML":       {archive(t, "bl01t/Chart.yaml", "["), "yaml"},
		"no name":       {archive(t, "bl01t/Chart.yaml", "apiVersion: v2\nversion: 1.0.0\n"), "name is required"},
	} {
		t.Run(what, func(t *testing.T) {
			_, _, err := Chart(c.tgz)
			require.ErrorContains(t, err, "reading chart to push: ")
			require.ErrorContains(t, err, c.want)
		})
	}
}

// What is asked for as one thing and is another is not handed out.
func TestOnlyLayer(t *testing.T) {
	one := blob{"application/x", []byte("one")}
	for what, c := range map[string]struct {
		layers []blob
		media  string
		spoil  bool
		want   string
		err    string
	}{
		"it":            {[]blob{one}, "application/c", false, "one", ""},
		"another type":  {[]blob{one}, "application/x", false, "", "it is a application/c, not a application/x"},
		"nothing in it": {nil, "application/c", false, "", "it has no layer"},
		"too large": {
			[]blob{{"application/x", []byte("four")}}, "application/c", false, "",
			"its layer of 4 bytes is too large: 3 at most are read",
		},
		"a layer is lost": {[]blob{one}, "application/c", true, "", "no layer sha256:"},
	} {
		t.Run(what, func(t *testing.T) {
			img, err := newArtifact(blob{"application/c", []byte("{}")}, nil, c.layers...)
			require.NoError(t, err)
			if c.spoil {
				img = lost{img}
			}
			got, err := OnlyLayer(img, c.media, 3)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, string(got))
			n, err := ReadAll(img)
			require.NoError(t, err)
			require.EqualValues(t, len("{}")+len("one"), n)
		})
	}
}

// claims is an artifact whose manifest says that its layer has a size.
type claims struct {
	v1.Image
	size int64
}

func (c claims) Manifest() (*v1.Manifest, error) {
	m, err := c.Image.Manifest()
	if err == nil {
		m = m.DeepCopy()
		m.Layers[0].Size = c.size
	}
	return m, err
}

// What is larger than anything that Tagline pushes is not read, and said to be so.
func TestALayerThatIsTooLarge(t *testing.T) {
	img, err := newArtifact(blob{"application/c", []byte("{}")}, nil, blob{"application/x", []byte("one")})
	require.NoError(t, err)
	_, err = OnlyLayer(claims{img, 256<<20 + 1}, "application/c", 256<<20)
	require.EqualError(t, err, "its layer of 268435457 bytes is too large: 268435456 at most are read")
	_, err = OnlyLayer(claims{img, 256 << 20}, "application/c", 256<<20)
	require.NoError(t, err)
	sum, err := LayerSizes(claims{img, 7})
	require.NoError(t, err)
	require.EqualValues(t, 7, sum)
}

// spoilt is an artifact whose config is another than its manifest says.
type spoilt struct{ v1.Image }

func (spoilt) RawConfigFile() ([]byte, error) { return nil, errors.New("another config") }

// What can't be read to its end is not there.
func TestWhatIsNotWhole(t *testing.T) {
	img, err := newArtifact(blob{"application/c", []byte("{}")}, nil, blob{"application/x", []byte("one")})
	require.NoError(t, err)
	for _, broken := range []v1.Image{spoilt{img}, lost{img}} {
		_, err = OnlyLayer(broken, "application/c", 1<<20)
		require.Error(t, err)
		_, err = ReadAll(broken)
		require.Error(t, err)
	}
}

// unpacked returns the names of an archive's entries in their order, folders with a
// slash, and checks that nothing of the machine is in them.
func unpacked(t *testing.T, packed []byte) (names []string) {
	t.Helper()
	for files := tar.NewReader(bytes.NewReader(packed)); ; {
		h, err := files.Next()
		if err == io.EOF {
			return names
		}
		require.NoError(t, err)
		require.EqualValues(t, 0, h.ModTime.Unix(), h.Name)
		require.Zero(t, h.Uid+h.Gid, h.Name)
		require.Equal(t, map[byte]int64{tar.TypeDir: 0o755, tar.TypeReg: 0o644}[h.Typeflag], h.Mode, h.Name)
		names = append(names, h.Name)
	}
}

// Each folder of an archive comes once, before what is in it, whatever files are called.
func TestPack(t *testing.T) {
	long := strings.Repeat("a", 120) + "/" + strings.Repeat("b", 120) + ".db"
	files := map[string][]byte{
		"st.cmd":     nil,
		"a-b/c":      nil,
		"a/b/c":      nil,
		"a/b":        nil,
		"größe 1.db": nil,
		long:         []byte("x"),
	}
	delete(files, "a/b")
	packed, err := pack("epics/config", files)
	require.NoError(t, err)
	at := "epics/config/"
	require.Equal(t, []string{
		"epics/", at, at + "a-b/", at + "a-b/c", at + "a/", at + "a/b/", at + "a/b/c",
		at + strings.Repeat("a", 120) + "/", at + long, at + "größe 1.db", at + "st.cmd",
	}, unpacked(t, packed))
	again, err := pack("epics/config", files)
	require.NoError(t, err)
	require.Equal(t, packed, again)
	packed, err = pack("", map[string][]byte{"b/x.yaml": []byte("a: 1"), "a.yaml": nil})
	require.NoError(t, err)
	require.Equal(t, []string{"a.yaml", "b/", "b/x.yaml"}, unpacked(t, packed))
	packed, err = pack("", nil)
	require.NoError(t, err)
	require.Empty(t, unpacked(t, packed))
}

// A folder has one layer of the kind that Flux and Argo CD take, and its digest is that
// of its content.
func TestFolder(t *testing.T) {
	files := map[string][]byte{"bl01t/a.yaml": []byte("a: 1\n"), "bl01t/b.yaml": []byte("b: 2\n")}
	img, err := Folder(files, map[string]string{"who": "made it"})
	require.NoError(t, err)
	m, err := img.Manifest()
	require.NoError(t, err)
	require.EqualValues(t, "application/vnd.cncf.flux.config.v1+json", m.Config.MediaType)
	require.Equal(t, map[string]string{"who": "made it"}, m.Annotations)
	require.Len(t, m.Layers, 1)
	require.Equal(t, types.OCILayer, m.Layers[0].MediaType)
	zipped, err := OnlyLayer(img, folderConfig, 1<<20)
	require.NoError(t, err)
	unzipped, err := gzip.NewReader(bytes.NewReader(zipped))
	require.NoError(t, err)
	text, err := io.ReadAll(unzipped)
	require.NoError(t, err)
	require.Equal(t, []string{"bl01t/", "bl01t/a.yaml", "bl01t/b.yaml"}, unpacked(t, text))
	digest, err := img.Digest()
	require.NoError(t, err)
	again, err := Folder(files, map[string]string{"who": "made it"})
	require.NoError(t, err)
	same, err := again.Digest()
	require.NoError(t, err)
	require.Equal(t, digest, same)
	files["bl01t/b.yaml"] = []byte("b: 3\n")
	other, err := Folder(files, map[string]string{"who": "made it"})
	require.NoError(t, err)
	changed, err := other.Digest()
	require.NoError(t, err)
	require.NotEqual(t, digest, changed)
}

// What a chart says of itself is in its manifest; its own annotations do not hide that.
func TestChart(t *testing.T) {
	tgz := archive(t, "bl01t-a/Chart.yaml", "apiVersion: v2\r\nname: bl01t-a\r\nversion: 1.0.0\r\n"+
		"description: An IOC\r\nannotations: {a: b, org.opencontainers.image.title: other}\r\n")
	img, metadata, err := Chart(tgz)
	require.NoError(t, err)
	require.Equal(t, "bl01t-a", metadata.Name)
	m, err := img.Manifest()
	require.NoError(t, err)
	require.EqualValues(t, ChartConfig, m.Config.MediaType)
	require.Equal(t, map[string]string{
		"a": "b", "org.opencontainers.image.title": "bl01t-a", "org.opencontainers.image.version": "1.0.0",
		"org.opencontainers.image.description": "An IOC",
	}, m.Annotations)
	got, err := OnlyLayer(img, ChartConfig, 1<<20)
	require.NoError(t, err)
	require.Equal(t, tgz, got, "the archive as it was packed")
}

// FuzzChart: whatever is pushed as a chart is one, or refused.
func FuzzChart(f *testing.F) {
	f.Add(archive(f, "a/Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n"))
	f.Add(archive(f, "a/Chart.yaml", "apiVersion: v2\nname: ../a\nversion: x\n"))
	f.Add(archive(f, "Chart.yaml", "{}")[:30])
	f.Fuzz(func(t *testing.T, tgz []byte) {
		img, m, err := Chart(tgz)
		require.Equal(t, err == nil, img != nil)
		if err == nil {
			require.NotEmpty(t, m.Name)
			require.NotEmpty(t, m.Version)
		}
	})
}

// lost is an artifact whose layers are gone.
type lost struct{ v1.Image }

func (lost) LayerByDigest(h v1.Hash) (v1.Layer, error) { return nil, errLost(h) }

type errLost v1.Hash

func (e errLost) Error() string { return "no layer " + v1.Hash(e).String() }

// The layer is of the kind of its manifest, and the same whenever and by whichever
// version of Tagline it is packed.
func TestConfigLayer(t *testing.T) {
	files := map[string][]byte{"st.cmd": []byte("iocInit\n"), "db/a.db": nil}
	for manifest, want := range map[types.MediaType]types.MediaType{
		types.OCIManifestSchema1:    types.OCILayer,
		types.DockerManifestSchema2: types.DockerLayer,
	} {
		layer, media, err := ConfigLayer(files, manifest)
		require.NoError(t, err)
		require.Equal(t, want, media)
		id, err := layer.DiffID()
		require.NoError(t, err)
		require.Equal(t, "sha256:072fb957830c4433440ea642cb45b57be57b33edb988042ea4da28af9244d38c", id.String())
	}
}

func TestExtends(t *testing.T) {
	config := func(cmd string, layers ...string) *v1.ConfigFile {
		c := &v1.ConfigFile{Config: v1.Config{Cmd: []string{cmd}}}
		for _, l := range layers {
			c.RootFS.DiffIDs = append(c.RootFS.DiffIDs, hash(l))
		}
		return c
	}
	for what, c := range map[string]struct {
		img  *v1.ConfigFile
		want bool
	}{
		"one layer more":     {config("ioc", "a", "b", "c"), true},
		"the same":           {config("ioc", "a", "b"), false},
		"two layers more":    {config("ioc", "a", "b", "c", "d"), false},
		"a layer below":      {config("ioc", "c", "a", "b"), false},
		"another program":    {config("sh", "a", "b", "c"), false},
		"fewer than its own": {config("ioc"), false},
	} {
		require.Equal(t, c.want, Extends(c.img, config("ioc", "a", "b")), what)
	}
}

// A size bounds what is read into memory, and what a manifest is, its own content says.
func TestWhatIsNotRead(t *testing.T) {
	for what, c := range map[string]struct{ config, layer, err string }{
		"fit":               {"8388608", "1", ""},
		"a large config":    {"8388609", "1", "its config of 8388609 bytes is too large"},
		"a config no size":  {"-1", "1", "is -1"},
		"a layer no size":   {"1", "-1", "is -1"},
		"a manifest's none": {`"x"`, "1", "json"},
	} {
		digest := `"sha256:` + strings.Repeat("a", 64) + `"`
		img := said{text: `{"schemaVersion":2,"config":{"size":` + c.config + `,"digest":` + digest + `},` +
			`"layers":[{"size":` + c.layer + `,"digest":` + digest + `}]}`}
		err := CheckSizes(img)
		if c.err == "" {
			require.NoError(t, err, what)
			continue
		}
		require.ErrorContains(t, err, c.err, what)
	}
	require.False(t, IsList([]byte(`{"config":{},"layers":[]}`)))
	require.True(t, IsList([]byte(`{"mediaType":"application/vnd.oci.image.manifest.v1+json","manifests":[]}`)))
	require.True(t, IsList([]byte(`{"config":{},"Manifests":[]}`)), "as JSON is read in Go")
	require.True(t, IsList([]byte(`[`)), "what can't be read")
}

// said is an image of which nothing but the manifest is there.
type said struct {
	v1.Image
	text string
}

func (s said) Manifest() (*v1.Manifest, error) { return v1.ParseManifest(strings.NewReader(s.text)) }
