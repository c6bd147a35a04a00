#!/bin/sh
# owner.sh FILE: prints the Debian packages that own a file, of several the first. /lib is a link to
# /usr/lib, and dpkg knows files by either.
dpkg-query --search "$1" "/usr$1" 2>/dev/null | sed '/^diversion by /d; /^local diversion /d; s/[,:].*//'
