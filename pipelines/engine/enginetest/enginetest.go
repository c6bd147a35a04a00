// Package enginetest stands in for the Dagger engine, so that what an engine is asked to do
// can be tested without one: it does nothing, and remembers each question as people read it.
package enginetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"dagger.io/dagger"
	"github.com/Khan/genqlient/graphql"
	"github.com/dagger/querybuilder"
)

// Engine answers questions with what a test says.
type Engine struct {
	// Answer returns what the last step of a question gives: a text, a list, or the error
	// of a command. Where it is nil, or gives nil, the engine says nothing: an empty text.
	Answer func(question string) (any, error)

	mutex sync.Mutex
	asked []string
	ids   []string // the questions that IDs are of
}

// Client returns a session with the engine.
func (e *Engine) Client() *dagger.Client {
	return &dagger.Client{Query: new(dagger.Query).WithGraphQLQuery(querybuilder.Query().Client(e))}
}

// Serve lets whoever connects to an engine, until the test ends, connect to this one.
func (e *Engine) Serve(t testing.TB) {
	t.Helper()
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DAGGER_SESSION_PORT", port)
	t.Setenv("DAGGER_SESSION_TOKEN", "of a test")
}

// ServeHTTP answers one question of a client that is connected.
func (e *Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var question graphql.Request
	if err := json.NewDecoder(r.Body).Decode(&question); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var data any
	reply := map[string]any{}
	if err := e.MakeRequest(r.Context(), &question, &graphql.Response{Data: &data}); err != nil {
		fault := map[string]any{"message": err.Error()}
		var exec *dagger.ExecError
		if errors.As(err, &exec) {
			fault["extensions"] = map[string]any{
				"_type": "EXEC_ERROR", "cmd": exec.Cmd, "exitCode": exec.ExitCode, "stdout": exec.Stdout,
				"stderr": exec.Stderr,
			}
		}
		reply["errors"] = []any{fault}
	} else {
		reply["data"] = data
	}
	_ = json.NewEncoder(w).Encode(reply) // who hung up gets none
}

// Asked returns what was asked, in its order, without what an ID alone was asked for:
//
//	container.from(address:"debian").withExec(args:["true"]).stdout
//
// What is handed to a step, such as a folder, stands there as what makes it, in angles.
func (e *Engine) Asked() []string {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	return slices.Clone(e.asked)
}

var (
	id = regexp.MustCompile(`"id-(\d+)"`)
	// node is what a client writes of a thing of which it has the ID alone.
	node = regexp.MustCompile(`^node\(id:(‹.*›)\)\.\.\.\. on \w+$`)
)

// MakeRequest answers one question.
func (e *Engine) MakeRequest(_ context.Context, req *graphql.Request, resp *graphql.Response) error {
	e.mutex.Lock()
	steps, fields := e.read(req.Query)
	last := len(steps) - 1
	question := strings.Join(steps, ".")
	var answer any
	var err error
	switch {
	case fields[last] == "sync":
		e.asked = append(e.asked, question)
		answer = e.id(strings.Join(steps[:last], "."))
	case fields[last] == "id" && !strings.HasPrefix(steps[max(0, last-1)], "envVariables"):
		answer = e.id(strings.Join(steps[:last], "."))
	default:
		e.asked = append(e.asked, question)
		answer = ""
	}
	e.mutex.Unlock()
	if e.Answer != nil {
		var given any
		if given, err = e.Answer(question); given != nil {
			answer = given
		}
	}
	for _, name := range slices.Backward(fields) {
		answer = map[string]any{name: answer}
	}
	*resp.Data.(*any) = answer
	return err
}

// id returns the ID of what a question makes.
func (e *Engine) id(question string) string {
	e.ids = append(e.ids, question)
	return fmt.Sprintf("id-%d", len(e.ids)-1)
}

// read cuts a query into its steps, with arguments in the order of their names, and returns
// the names under which their answers stand.
func (e *Engine) read(query string) (steps, fields []string) {
	_, query, _ = strings.Cut(query, "{")
	for query != "" && query[0] != '}' {
		end := strings.IndexAny(query, "({}")
		name := strings.TrimSpace(query[:end])
		var args []string
		if query[end] == '(' {
			args, query = arguments(query[end+1:])
		} else {
			query = query[end:]
		}
		query = strings.TrimPrefix(query, "{")
		text := name
		if len(args) > 0 {
			slices.Sort(args)
			text = e.whole(name + "(" + strings.Join(args, ", ") + ")")
		}
		if strings.HasPrefix(name, "... on ") { // a thing of which the client has the ID
			steps[len(steps)-1] = node.ReplaceAllString(steps[len(steps)-1]+"."+text, "$1")
			continue
		}
		steps, fields = append(steps, text), append(fields, name)
	}
	return steps, fields
}

// whole writes what IDs are of in their place.
func (e *Engine) whole(text string) string {
	return id.ReplaceAllStringFunc(text, func(found string) string {
		var n int
		_, _ = fmt.Sscanf(found, `"id-%d"`, &n) // it is written so
		return "‹" + e.ids[n] + "›"
	})
}

// arguments cuts the arguments of a step from the rest of the query.
func arguments(query string) (all []string, rest string) {
	start, depth, quoted := 0, 0, false
	for i := 0; i < len(query); i++ {
		switch c := query[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
		case depth == 0 && (c == ',' || c == ')'):
			all = append(all, strings.TrimSpace(query[start:i]))
			start = i + 1
			if c == ')' {
				return all, query[i+1:]
			}
		}
	}
	return all, ""
}
