package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// newKey is `tagline key`: a key pair to sign releases with.
func newKey(a *app) *cobra.Command {
	return a.takes(&cobra.Command{
		Use:   "key FILE",
		Short: "Make a key pair to sign releases with",
		Long: "Makes a key pair: FILE holds the private key, FILE.pub the public one. The private\n" +
			"key is encrypted with $TAGLINE_KEY_PASSWORD, when that is set. cosign takes both files.",
		Example: "  TAGLINE_KEY_PASSWORD=… tagline key release.key\n" +
			"  tagline verify bl01t/2026.11.1 --key release.key.pub",
		RunE: func(_ *cobra.Command, given []string) error {
			private, public, err := sign.NewKey([]byte(a.env("TAGLINE_KEY_PASSWORD")))
			if err != nil {
				return err
			}
			files := keyFiles{Private: given[0], Public: given[0] + ".pub"}
			if err := writeNew(files.Private, private, 0o600); err != nil {
				return err
			}
			if err := writeNew(files.Public, public, 0o644); err != nil {
				return errors.Join(err, os.Remove(files.Private)) // no use without the other
			}
			return a.print(files, func(w io.Writer) error {
				_, err := fmt.Fprintf(
					w,
					"%s  private: keep it secret\n%s  public: give it to those who verify\n",
					files.Private,
					files.Public,
				)
				return err
			})
		},
	}, argument{what: "the file of the private key", example: "release.key"})
}

// keyFiles are the files of a key pair.
type keyFiles struct {
	Private string `json:"private"`
	Public  string `json:"public"`
}

// writeNew writes a file that must not exist: an overwritten key is lost.
func writeNew(file string, text []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return &diag.Error{
			Kind:  diag.Invalid,
			Doing: "writing " + file,
			Err:   errors.New("it is there already"),
			Fix:   "name another file, or move that one away",
		}
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
