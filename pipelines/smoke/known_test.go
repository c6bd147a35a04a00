package smoke

import (
	"context"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"dagger.io/dagger"
	"github.com/Khan/genqlient/graphql"
	"github.com/dagger/querybuilder"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/layout"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// cachingEngine is an engine that has booted an IOC before, and knows what it printed.
type cachingEngine struct {
	cached  string // what it answers for a boot of any moment
	reruns  int    // boots of this moment, each of which passes
	printed string
}

var (
	texts  = regexp.MustCompile(`"(\\.|[^"\\])*"`)
	fields = regexp.MustCompile(`\{\s*(\w+)`)
)

// MakeRequest nests an answer as the query's fields are nested.
func (e *cachingEngine) MakeRequest(_ context.Context, req *graphql.Request, resp *graphql.Response) error {
	names := fields.FindAllStringSubmatch(texts.ReplaceAllString(req.Query, ""), -1)
	var answer any = ""
	switch leaf := names[len(names)-1][1]; {
	case leaf == "entrypoint":
		answer = []string{layout.Run, layout.IOC + "/ioc"}
	case leaf == "stdout" && strings.Contains(req.Query, "TAGLINE_RUN"):
		e.reruns++
		answer = e.printed
	case leaf == "stdout":
		answer = e.cached
	}
	for _, f := range slices.Backward(names) {
		answer = map[string]any{f[1]: answer}
	}
	*resp.Data.(*any) = answer
	return nil
}

// What passed on this engine is taken from it, and said; what failed is run again, unless
// it failed just now. Without Known nothing is taken.
func TestWhatPassedIsKnown(t *testing.T) {
	printed := func(when time.Time, log string) string {
		boot := base64.StdEncoding.EncodeToString([]byte(log))
		return fmt.Sprintf("@ran %d\na %s\n", when.Unix(), boot)
	}
	const passed = "@log 1\n" + goodEnd
	failed := strings.Replace(passed, "@exit 1 0", "@exit 1 3", 1)
	past, now := time.Unix(1700000000, 0), time.Now().Add(time.Minute)
	for what, c := range map[string]struct {
		known  bool
		cached string
		reruns int
		passes bool
		said   int
	}{
		"it passed":       {known: true, cached: printed(past, passed), passes: true, said: 1},
		"it passes now":   {known: true, cached: printed(now, passed), passes: true},
		"it failed":       {known: true, cached: printed(past, failed), reruns: 1, passes: true},
		"it fails now":    {known: true, cached: printed(now, failed)},
		"it is not asked": {cached: printed(past, failed), reruns: 1, passes: true},
	} {
		t.Run(what, func(t *testing.T) {
			e := &cachingEngine{cached: c.cached, printed: printed(now, passed)}
			client := &dagger.Client{Query: new(dagger.Query).WithGraphQLQuery(querybuilder.Query().Client(e))}
			said := 0
			ctx := step.WithSink(t.Context(), func(step.Event) { said++ })
			test, err := Tester{Client: client, Known: c.known}.Run(ctx, Subject{
				Name: "a", Folder: "a", User: "1:2", Runtime: client.Container(),
				Config: map[string][]byte{"st.cmd": []byte("iocInit\n")},
			})
			require.NoError(t, err)
			require.Equal(t, c.passes, test.Passed, test.Faults)
			require.Equal(t, c.reruns, e.reruns)
			require.Equal(t, c.said, said)
		})
	}
}
