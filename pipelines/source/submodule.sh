# submodule.sh PATH COMMAND…: runs COMMAND, which checks a submodule out, where
# PATH is one. A mirror may hold a submodule's files in place of the link to it.
held=$(git ls-files -s "$1")
if [ -z "$held" ]; then
	echo "error: there is no submodule $1" >&2
	exit 1
fi
echo "$held" | grep -q ^160000 || exit 0
shift
exec "$@"
