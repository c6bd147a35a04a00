package process

import (
	"errors"
	"os"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// NeedRoot refuses what only root can do. The error says what else would help:
// "name a running engine in …".
func NeedRoot(doing, otherwise string) error {
	if os.Geteuid() == 0 {
		return nil
	}
	return &diag.Error{Kind: diag.Broken, Doing: doing, Err: errors.New("only root can, and this is not root"),
		Fix: "run as root, or " + otherwise}
}
