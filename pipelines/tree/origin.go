package tree

import (
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/transport"
)

// Origin returns the address that the repository was cloned from, as one that
// anybody may see: "https://github.com/some-org/site". Whoever signs in there is
// left out. It is empty where there is none, or where it is a folder of this
// machine.
func (r *Repository) Origin() string {
	remote, err := r.git.Remote("origin")
	if err != nil || len(remote.Config().URLs) == 0 {
		return ""
	}
	endpoint, err := transport.NewEndpoint(remote.Config().URLs[0])
	if err != nil || endpoint.Host == "" {
		return ""
	}
	host := endpoint.Host
	if endpoint.Port != 0 && endpoint.Port != standard[endpoint.Protocol] {
		host = fmt.Sprintf("%s:%d", host, endpoint.Port)
	}
	path, _, _ := strings.Cut(strings.TrimPrefix(endpoint.Path, "/"), "?")
	return endpoint.Protocol + "://" + host + "/" + strings.TrimSuffix(strings.TrimSuffix(path, "/"), ".git")
}

// Home returns what identifies the repository, however it is reached:
// its origin without the scheme, "github.com/some-org/site". It is empty where
// Origin is.
func (r *Repository) Home() string {
	_, home, _ := strings.Cut(r.Origin(), "://")
	return home
}

// standard are the ports that addresses leave out.
var standard = map[string]int{"https": 443, "http": 80, "ssh": 22, "git": 9418}
