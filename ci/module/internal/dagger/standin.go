//go:build standin

// Package dagger stands in for the client that Dagger generates here, so that the
// module's functions can be tested without an engine: folders are folders of this
// machine, and containers only remember which they are.
package dagger

import (
	"context"
	"errors"
	"os"
)

// Client is what dag is.
type Client struct{}

// Directory returns an empty folder.
func (*Client) Directory() *Directory { return &Directory{} }

// LoadContainerFromID returns a container of another session.
func (*Client) LoadContainerFromID(id ContainerID) *Container { return &Container{ID: id} }

// ContainerID names a container.
type ContainerID string

// Container is one that another session has.
type Container struct{ ID ContainerID }

// Directory is a folder of this machine, with files that were added.
type Directory struct {
	Dir   string
	Added map[string]string
}

// Export copies the folder.
func (d *Directory) Export(_ context.Context, path string) (string, error) {
	return path, os.CopyFS(path, os.DirFS(d.Dir))
}

// WithNewFile returns the folder with one file more.
func (d *Directory) WithNewFile(path, contents string) *Directory {
	added := map[string]string{path: contents}
	for name, text := range d.Added {
		added[name] = text
	}
	return &Directory{Dir: d.Dir, Added: added}
}

// File is a text.
type File struct{ Text string }

// Contents returns the text.
func (f *File) Contents(context.Context) (string, error) { return f.Text, nil }

// Secret is a text that is not shown. One without a text can't be read.
type Secret struct{ Text string }

// Plaintext returns the text.
func (s *Secret) Plaintext(context.Context) (string, error) {
	if s.Text == "" {
		return "", errors.New("secret not found")
	}
	return s.Text, nil
}
