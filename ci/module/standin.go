//go:build standin

package main

import "dagger/tagline/internal/dagger"

var dag = &dagger.Client{}

func main() {}
