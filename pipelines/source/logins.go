package source

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"dagger.io/dagger"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/plumbing/transport/http"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Logins are user names and passwords of git servers. The zero value has none.
type Logins []login

type login struct{ host, user, password string }

// ReadLogins reads the text of a .netrc: machine, login and password, in any
// number of lines. Macros, accounts and the entry default are left out: a
// password goes to no host that nobody named. Nothing of the text is in an error.
// (The Go libraries for it panic on an entry that is cut short.)
func ReadLogins(text string) (Logins, error) {
	var all Logins
	known := false // the entry that is read has a host
	macro := false
	for line := range strings.Lines(text) {
		if macro = macro && strings.TrimSpace(line) != ""; macro || strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		words := strings.Fields(line)
		for len(words) > 0 {
			key := words[0]
			if key == "default" {
				known, words = false, words[1:]
				continue
			}
			if len(words) < 2 || !slices.Contains([]string{"machine", "login", "password", "account", "macdef"}, key) {
				return nil, &diag.Error{
					Kind: diag.Invalid, Doing: "reading the logins of git servers",
					Err: errors.New("they are not written as in a .netrc"),
					Fix: "write each as in: machine git.example.org login ada password …",
				}
			}
			switch {
			case key == "machine":
				all, known = append(all, login{host: words[1]}), true
			case key == "macdef":
				macro = true
			case known && key == "login":
				all[len(all)-1].user = words[1]
			case known && key == "password":
				all[len(all)-1].password = words[1]
			}
			words = words[2:]
		}
	}
	return all, nil
}

// of returns the login for the host of a URL, and whether there is one. It goes to
// no other host, and over nothing but HTTP.
func (l Logins) of(raw string) (login, bool) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return login{}, false
	}
	i := slices.IndexFunc(l, func(one login) bool { return one.host == u.Hostname() })
	if i < 0 {
		return login{}, false
	}
	return l[i], true
}

// Auth returns how to sign in at a URL; nil where there is no login. The error is of
// kind Invalid when the URL itself has a login, which logs would show.
func (l Logins) Auth(raw string) (transport.AuthMethod, error) {
	if signedIn(raw) {
		return nil, &diag.Error{
			Kind: diag.Invalid, Doing: "reading the address of a git repository",
			Err: errors.New("it has a login in it, which logs would show"),
			Fix: "leave the login out of the URL, and give it in .netrc or TAGLINE_NETRC",
		}
	}
	return l.auth(raw), nil
}

// auth returns how to sign in at a URL; nil where there is no login.
func (l Logins) auth(raw string) transport.AuthMethod {
	if one, ok := l.of(raw); ok {
		return &http.BasicAuth{Username: one.user, Password: one.password}
	}
	return nil
}

// mounted returns a container that git signs in from, at the hosts of URLs: a
// secret, which no layer, log or cache key has.
func (l Logins) mounted(client *dagger.Client, c *dagger.Container, urls ...string) *dagger.Container {
	var few []string
	for _, u := range urls {
		if one, ok := l.of(u); ok {
			few = append(few, fmt.Sprintf("machine %s login %s password %s\n", one.host, one.user, one.password))
		}
	}
	if len(few) == 0 {
		return c
	}
	secret := client.SetSecret("logins of git servers", strings.Join(few, ""))
	return c.WithMountedSecret("/root/.netrc", secret)
}
