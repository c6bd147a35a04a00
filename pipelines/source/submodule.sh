# submodule.sh PATH COMMAND…: runs COMMAND, which checks a submodule out, where
# PATH is one. A mirror may hold a submodule's files in place of the link to it.
git ls-files -s "$1" | grep -q ^160000 || exit 0
shift
exec "$@"
