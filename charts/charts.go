// Package charts carries the library chart in the program, for repositories that
// have none of their own.
package charts

import (
	"embed"
	"io/fs"
)

//go:embed all:ioc-lib
var files embed.FS

// Library returns the files of the library chart ioc-lib.
func Library() fs.FS {
	lib, err := fs.Sub(files, "ioc-lib")
	if err != nil {
		panic(err) // the name is a valid path
	}
	return lib
}
