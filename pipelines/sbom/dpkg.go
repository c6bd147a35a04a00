package sbom

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"strings"
)

// ReadDpkg returns the packages that are installed, from Debian's own list of
// them, /var/lib/dpkg/status: paragraphs of "Field: value" lines, one for each
// package (man 5 deb-control). Packages that are only half there are left out.
func ReadDpkg(status io.Reader) ([]Package, error) {
	var list []Package
	r := textproto.NewReader(bufio.NewReader(status))
	for n := 1; ; n++ {
		fields, err := r.ReadMIMEHeader()
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("reading paragraph %d of the dpkg status: %w", n, err)
		}
		if strings.HasSuffix(fields.Get("Status"), " installed") {
			p := Package{
				Name: fields.Get("Package"), Version: fields.Get("Version"), Architecture: fields.Get("Architecture"),
			}
			if p.Name == "" || p.Version == "" || p.Architecture == "" {
				return nil, fmt.Errorf(
					"reading paragraph %d of the dpkg status: package %q, version %q, architecture %q", n, p.Name,
					p.Version, p.Architecture,
				)
			}
			p.Source, _, _ = strings.Cut(fields.Get("Source"), " ")
			if p.Source == "" {
				p.Source = p.Name
			}
			list = append(list, p)
		}
		if err != nil {
			return list, nil
		}
	}
}
