// Package daggerd pins the Dagger engine that `tagline up` builds from source
// on a machine that has none. The programs are the tools of its go.mod; the
// engine, its client, the first process of its containers, its Go code
// generator and its container network's name service.
package daggerd
