package image

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"dagger.io/dagger"
	"github.com/Khan/genqlient/graphql"
	"github.com/dagger/querybuilder"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// engineStandIn answers each query that is asked of an engine, and remembers it: of
// every file there is one, and it is empty.
type engineStandIn struct {
	mutex sync.Mutex
	asked []string
	fails string // what the queries have that fail; empty for none
}

func (e *engineStandIn) client() *dagger.Client {
	return &dagger.Client{Query: new(dagger.Query).WithGraphQLQuery(querybuilder.Query().Client(e))}
}

var (
	quoted = regexp.MustCompile(`"(\\.|[^"\\])*"`)
	field  = regexp.MustCompile(`\{\s*(\w+)`)
)

// MakeRequest nests an answer as the query's fields are nested.
func (e *engineStandIn) MakeRequest(_ context.Context, req *graphql.Request, resp *graphql.Response) error {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.asked = append(e.asked, req.Query)
	if e.fails != "" && strings.Contains(req.Query, e.fails) {
		return errors.New("the registry has no such blob")
	}
	fields := field.FindAllStringSubmatch(quoted.ReplaceAllString(req.Query, ""), -1)
	var answer any
	switch leaf := fields[len(fields)-1][1]; leaf {
	case "exists":
		answer = true
	case "glob":
		answer = []string{}
	case "sync", "id":
		answer = req.Query // an ID that says what it is of
	default:
		answer = ""
	}
	for _, f := range slices.Backward(fields) {
		answer = map[string]any{f[1]: answer}
	}
	*resp.Data.(*any) = answer
	return nil
}

// has reports whether something with all of the texts was asked.
func (e *engineStandIn) has(texts ...string) bool {
	return slices.ContainsFunc(e.asked, func(query string) bool {
		return !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(query, text) })
	})
}

const formerImage = "registry.example.org/ioc-a-developer@sha256:ef"

// simple returns a scene without what the stand-in has no answer for.
func simple(e *engineStandIn) *scene {
	s := newScene()
	s.axis().Patches, s.axis().DBDs = nil, nil
	s.Client = e.client()
	return s
}

// onStandIn returns a scene whose release before differs in the source of lone alone.
func onStandIn(t *testing.T, e *engineStandIn) *scene {
	was := simple(e)
	pinned, err := was.Builder.pinned(t.Context(), was.img, was.Tree.Order(was.img))
	require.NoError(t, err)
	sources, err := was.Inputs(was.img, was.parent, pinned)
	require.NoError(t, err)
	s := simple(e)
	s.files["lone/Makefile"].Data = []byte("TOP = ..\n")
	s.Former = &Former{
		Record: &record.Record{
			Sources: sources,
			Artifacts: []record.Artifact{{
				Type: record.ImageType, Target: asset.Developer, Digest: "sha256:ef",
				Ref: asset.Ref(strings.Replace(formerImage, "@sha256:ef", ":1.0.0", 1)),
			}},
		},
		Origin: record.Origin{Release: assettest.Tag("ioc-a/1.0.0"), Record: "sha256:0"},
	}
	return s
}

// modules builds the modules of a scene, and returns which of them were taken, and what
// was said.
func (s *scene) modules(t *testing.T) (taken, said []string, err error) {
	ctx := step.WithSink(t.Context(), func(e step.Event) { said = append(said, e.Line) })
	dev := s.Client.Container().From("base")
	_, sources, err := s.Builder.modules(ctx, s.img, s.parent, dev)
	for _, src := range sources {
		if src.From != nil {
			taken = append(taken, src.Module)
		}
	}
	return taken, said, err
}

// What the release before has built is neither fetched nor built.
func TestWhatIsTakenIsNotBuilt(t *testing.T) {
	e := &engineStandIn{}
	s := onStandIn(t, e)
	taken, said, err := s.modules(t)
	require.NoError(t, err)
	require.Equal(t, []string{"axis", "scale"}, slices.Sorted(slices.Values(taken)))
	require.Equal(t, []string{"2 of 3 modules: built by ioc-a/1.0.0"}, said)
	require.True(t, e.has(formerImage, "/epics/support/axis", "sync"))
	require.False(t, e.has(formerImage, "/epics/support/lone"))
	require.False(t, e.has("https://example.org/"), "a source was fetched")
	require.True(t, e.has("make -j", "/epics/support/lone", "sync"))
	require.False(t, e.has("make -j", "/epics/support/axis"))

	alone := &engineStandIn{}
	s.Client, s.Former = alone.client(), nil
	taken, said, err = s.modules(t)
	require.NoError(t, err)
	require.Empty(t, taken)
	require.Empty(t, said)
	require.True(t, alone.has("https://example.org/axis"))
	require.False(t, alone.has(formerImage))
}

// The layer of a module does not tell whether it was taken or built: both are laid on in
// the same way, and nothing in it has the time of that.
func TestWhatIsTakenIsPlacedAsWhatIsBuilt(t *testing.T) {
	e := &engineStandIn{}
	s := onStandIn(t, e)
	dev, _, err := s.Builder.modules(t.Context(), s.img, s.parent, s.Client.Container().From("base"))
	require.NoError(t, err)
	_, err = dev.Sync(t.Context())
	require.NoError(t, err)
	for module, from := range map[string]string{"axis": formerImage, "lone": "make -j"} {
		at := "/epics/support/" + module
		require.True(t, e.has("withNewDirectory", at, "withTimestamps(timestamp:315532800)"), module)
		require.True(t, e.has("directory{withDirectory(", from, at, "withTimestamps(timestamp:"), module)
	}
}

// A developer image that can't be pulled any more gives nothing, and does not stop the
// build.
func TestAnImageThatIsGoneIsBuilt(t *testing.T) {
	e := &engineStandIn{fails: formerImage}
	taken, said, err := onStandIn(t, e).modules(t)
	require.NoError(t, err)
	require.Empty(t, taken)
	require.Equal(t, []string{"every module is built: taking from the developer image of ioc-a/1.0.0: " +
		"the registry has no such blob"}, said)
	require.True(t, e.has("https://example.org/axis"))
	require.True(t, e.has("https://example.org/scale"))
}

// An interrupted release does not begin to build what it could not take.
func TestAnInterruptionIsNoMiss(t *testing.T) {
	e := &engineStandIn{fails: formerImage}
	s := onStandIn(t, e)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	sources := s.Former.Record.Sources
	for i := range sources {
		sources[i].From = &s.Former.Origin
	}
	_, err := s.taken(ctx, s.img, sources)
	require.ErrorIs(t, err, context.Canceled)
}
