# files.sh N BINARY… PATH…: prints the files at and below PATHs, sorted, each once, an
# empty line, and what ldd says of N BINARYs and of the shared objects among the files. It
# is one command because the engine takes half a second for each.
set -ef
n=$1
shift
IFS='
' # a name may have blanks
binaries=
while [ "$n" -gt 0 ]; do
	binaries="$binaries$1$IFS"
	shift
	n=$((n - 1))
done
files=
[ $# -eq 0 ] || files=$(find "$@" ! -type d 2>/dev/null | LC_ALL=C sort -u)
printf '%s\n\n' "$files"
objects=$(printf '%s\n' "$files" | grep -E '\.so(\.[0-9]+)*$' || true) # ldd fails for anything else
# shellcheck disable=SC2086
exec ldd $binaries $objects
