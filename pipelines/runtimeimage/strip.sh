# strip.sh FOLDER: copies the files that standard input names to FOLDER, and
# takes the symbols out.
set -e
mkdir -p "$1"
cd / # where cp of Debian 12 looks for the parents that it is to copy
xargs -r -d '\n' cp --parents --preserve=mode -t "$1" --
find "$1" -type f | while read -r f; do
	if [ "$(head -c 4 "$f" | tr -d '\0')" = "$(printf '\177ELF')" ]; then strip --strip-unneeded "$f"; fi
done
