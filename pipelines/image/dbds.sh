# dbds.sh FOLDER…: prints the database definition files that folders hold, each after a
# line "@dbd NAME". What can only say how a record type or a menu looks is left out: it is
# nearly all of EPICS Base's, and every module is built against that.
for folder; do
	shift
	for file in "$folder"/*.dbd; do
		[ ! -e "$file" ] || set -- "$@" "$file"
	done
done
for file; do echo "@dbd ${file##*/}"; done # awk passes over those that are empty
[ $# -eq 0 ] || exec awk '
FNR == 1 {
	name = FILENAME
	sub(/.*\//, "", name)
	print "@dbd " name
}
/include|recordtype|device|driver|registrar|function|variable/ { print; next }
/^[ \t]*([#%}]|$)/ { next }
/^[ \t]*(field|prompt|promptgroup|asl|special|initial|size|interest)[ \t]*\(/ { next }
/^[ \t]*(menu|choice|base|pp|extra|prop)[ \t]*\(/ { next }
{ print }' "$@"
