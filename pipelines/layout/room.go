package layout

import "embed"

// Source is the source of this room, for whoever must know whether a module would be
// built as it was.
//
//go:embed *.go
var Source embed.FS
