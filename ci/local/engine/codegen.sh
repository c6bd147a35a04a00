#!/bin/sh
# The engine asks its code generator for a commit of dagger.io/dagger, which a
# module proxy need not know. The engine's own version is the same code, and
# every proxy has it: of two --lib-version the last counts.
PATH=/usr/local/libexec/go:$PATH
for word; do
	[ "$word" = --lib-version ] && exec /usr/local/libexec/codegen "$@" --lib-version "$DAGGER_VERSION"
done
exec /usr/local/libexec/codegen "$@"
