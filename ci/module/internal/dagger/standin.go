//go:build standin

// Package dagger stands in for the client that Dagger generates here, so that the
// module's functions can be tested without an engine: folders are folders of this
// machine, and containers only remember what they were asked to be.
package dagger

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// Client is what dag is.
type Client struct{}

// Container is an empty container.
func (*Client) Container() *Container { return &Container{} }

// File is a file that no folder holds.
func (*Client) File(_, contents string) *File { return &File{Text: contents} }

// LoadContainerFromID is a container of another session.
func (*Client) LoadContainerFromID(id ContainerID) *Container { return &Container{Address: string(id)} }

// LoadDirectoryFromID is a folder of another session.
func (*Client) LoadDirectoryFromID(id DirectoryID) *Directory { return &Directory{Dir: string(id)} }

// DirectoryID names a folder.
type DirectoryID string

// ContainerID names a container.
type ContainerID string

// Workspace is the folder that dagger is called in.
type Workspace struct{ Dir string }

// WorkspaceDirectoryOpts say which files are asked for.
type WorkspaceDirectoryOpts struct {
	Exclude, Include []string
	Gitignore        bool
}

// Directory is a folder of the workspace.
func (w *Workspace) Directory(path string, opts ...WorkspaceDirectoryOpts) *Directory {
	return &Directory{Dir: filepath.Join(w.Dir, path), Opts: opts}
}

// Directory is a folder with changes that were made to it.
type Directory struct {
	Dir  string
	Opts []WorkspaceDirectoryOpts
	New  map[string]string
	Gone []string
}

// Export copies the folder, without what was excluded.
func (d *Directory) Export(_ context.Context, path string) (string, error) {
	if _, err := os.Stat(d.Dir); err != nil {
		return "", err
	}
	if err := os.CopyFS(path, os.DirFS(d.Dir)); err != nil {
		return "", err
	}
	for _, o := range d.Opts {
		for _, name := range o.Exclude {
			if err := os.RemoveAll(filepath.Join(path, name)); err != nil {
				return "", err
			}
		}
	}
	return path, nil
}

// WithNewFile adds a file.
func (d *Directory) WithNewFile(path, contents string) *Directory {
	all := map[string]string{path: contents}
	for p, text := range d.New {
		all[p] = text
	}
	return &Directory{Dir: d.Dir, New: all, Gone: d.Gone}
}

// WithoutFile removes a file.
func (d *Directory) WithoutFile(path string) *Directory {
	return &Directory{Dir: d.Dir, New: d.New, Gone: append([]string{path}, d.Gone...)}
}

// WithoutDirectory removes a folder.
func (d *Directory) WithoutDirectory(path string) *Directory {
	left := map[string]string{}
	for p, text := range d.New {
		if !strings.HasPrefix(p, path+"/") {
			left[p] = text
		}
	}
	return &Directory{Dir: d.Dir, New: left, Gone: append([]string{path}, d.Gone...)}
}

// WithDirectory adds a folder, which is remembered as a file with its name.
func (d *Directory) WithDirectory(path string, folder *Directory) *Directory {
	return d.WithNewFile(path, folder.Dir)
}

// Changes compares two folders.
func (d *Directory) Changes(*Directory) *Changeset { return &Changeset{After: d} }

// Changeset is a change of a folder.
type Changeset struct{ After *Directory }

// File is a text.
type File struct{ Text string }

// Contents returns the text.
func (f *File) Contents(context.Context) (string, error) { return f.Text, nil }

// Secret is a text that is not shown.
type Secret struct{ Text string }

// Plaintext returns the text; there is none of an empty secret.
func (s *Secret) Plaintext(context.Context) (string, error) {
	if s.Text == "" {
		return "", errors.New("secret not found")
	}
	return s.Text, nil
}

// Container remembers what it was asked to be.
type Container struct {
	Address   string
	Ports     []int
	Unchecked []int // of these, those that nobody waits for
	Shell     []string
}

// From starts from an image.
func (*Container) From(address string) *Container { return &Container{Address: address} }

// ContainerWithExposedPortOpts are those of a port.
type ContainerWithExposedPortOpts struct{ ExperimentalSkipHealthcheck bool }

// WithExposedPort adds a port.
func (c *Container) WithExposedPort(port int, opts ...ContainerWithExposedPortOpts) *Container {
	more := *c
	more.Ports = append(more.Ports, port)
	if len(opts) > 0 && opts[0].ExperimentalSkipHealthcheck {
		more.Unchecked = append(more.Unchecked, port)
	}
	return &more
}

// ContainerTerminalOpts are those of a terminal.
type ContainerTerminalOpts struct{ Cmd []string }

// Terminal opens a shell.
func (c *Container) Terminal(opts ...ContainerTerminalOpts) *Container {
	more := *c
	more.Shell = opts[0].Cmd
	return &more
}

// ContainerAsServiceOpts are those of a service.
type ContainerAsServiceOpts struct{ UseEntrypoint bool }

// AsService runs the container beside others.
func (c *Container) AsService(opts ...ContainerAsServiceOpts) *Service {
	return &Service{Of: c, Entrypoint: opts[0].UseEntrypoint}
}

// Service is a container that runs beside others.
type Service struct {
	Of         *Container
	Entrypoint bool // what runs is the container's entrypoint
}
