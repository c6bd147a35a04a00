package tree

import (
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/transport"
)

// Origin gives the address that the repository was cloned from, as one that
// anybody may see: "https://github.com/some-org/site". Whoever signs in there is
// left out. It is empty where there is none, or where it is a folder of this
// machine.
func (r *Repository) Origin() string {
	remote, err := r.git.Remote("origin")
	if err != nil || len(remote.Config().URLs) == 0 {
		return ""
	}
	at, err := transport.NewEndpoint(remote.Config().URLs[0])
	if err != nil || at.Host == "" {
		return ""
	}
	host := at.Host
	if at.Port != 0 && at.Port != standard[at.Protocol] {
		host = fmt.Sprintf("%s:%d", host, at.Port)
	}
	path, _, _ := strings.Cut(strings.TrimPrefix(at.Path, "/"), "?")
	return at.Protocol + "://" + host + "/" + strings.TrimSuffix(strings.TrimSuffix(path, "/"), ".git")
}

// Home returns what tells the repository from all others, however it is reached:
// its origin without the scheme, "github.com/some-org/site". It is empty where
// Origin is.
func (r *Repository) Home() string {
	_, home, _ := strings.Cut(r.Origin(), "://")
	return home
}

// standard are the ports that addresses leave out.
var standard = map[string]int{"https": 443, "http": 80, "ssh": 22, "git": 9418}
