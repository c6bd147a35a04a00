#!/bin/sh
# The code generator gets the newest querybuilder. What is newest asks a module
# proxy for a list, which one that serves chosen versions refuses; the version
# that the code generator was built with is the one that fits.
go=/usr/local/go/bin/go
[ "$1" = get ] || exec "$go" "$@"
fits=$("$go" version -m /usr/local/libexec/codegen |
	sed -n 's|.*dep[[:space:]]github.com/dagger/querybuilder[[:space:]]\([^[:space:]]*\).*|@\1|p')
for word; do
	shift
	[ "$word" = github.com/dagger/querybuilder ] && word=$word$fits
	set -- "$@" "$word"
done
exec "$go" "$@"
