# strip.sh FOLDER TIME IOC EMPTY…: copies the files that standard input names to FOLDER,
# takes the symbols out, and makes empty folders there. In the folder of an IOC, if one
# is named, ioc becomes a link to its binary. All have one time, in seconds: so FOLDER
# has the same bytes whenever it was made.
set -e
root=$1 time=$2 ioc=$3
shift 3
mkdir -p "$root"
cd / # where cp of Debian 12 looks for the parents that it is to copy
xargs -r -d '\n' cp --parents --preserve=mode -t "$root" --
find "$root" -type f | while read -r f; do
	if [ "$(head -c 4 "$f" | tr -d '\0')" = "$(printf '\177ELF')" ]; then strip --strip-unneeded "$f"; fi
done
for folder; do mkdir -p "$root$folder"; done
[ -z "$ioc" ] || ln -s "bin/$EPICS_HOST_ARCH/ioc" "$root$ioc/ioc"
find "$root" -exec touch -h -d "@$time" {} +
