package startup

import "embed"

// Source is the source of this room, for whoever must know whether a start would be
// judged as it was.
//
//go:embed *.go
var Source embed.FS
