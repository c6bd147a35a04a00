# look.sh ARCH OWN FOLDER…: prints what is in OWN, the folder of a support module
# that was built, and in the folders of what it is built against.
arch=$1
own=$2
shift
for folder; do
	for dbd in "$folder"/dbd/*.dbd; do
		[ -e "$dbd" ] || continue
		echo "@dbd $folder ${dbd##*/}"
		cat "$dbd"
		echo
	done
done
for lib in "$own/lib/$arch"/lib*.so "$own/lib/$arch"/lib*.a; do
	[ -e "$lib" ] || continue
	echo "@lib ${lib##*/}"
	objdump -p "$lib" 2>/dev/null | grep NEEDED
done
for program in "$own/bin/$arch"/*; do
	[ -x "$program" ] && echo "@program ${program##*/}"
done
for folder in "$own"/*/; do
	[ -e "$folder" ] || continue
	folder=${folder%/}
	echo "@folder ${folder##*/}"
done
# What a dbd names is a variable of the library that has it.
echo "@symbols"
for folder; do
	for lib in "$folder/lib/$arch"/lib*; do
		case $lib in
		*.so) nm -D --defined-only "$lib" ;;
		*.a) nm --defined-only "$lib" ;;
		esac 2>/dev/null
	done
done | sed -n 's/.* \(pvar_[A-Za-z0-9_]*\)$/\1/p' | sort -u
