#!/bin/sh
# absent.sh FILE…: prints those of the files that are not there.
for file; do
	[ -e "$file" ] || echo "$file"
done
