# ask.sh PV VALUE NAME…: writes VALUE to PV unless PV is empty, then reads the
# names over both protocols at once. stdout: what caget printed, "@pva", what
# pvget printed; or, with exit status 1, why the value was not written.
if [ -n "$1" ]; then
	said=$(caput -w 10 "$1" "$2" 2>&1) || {
		echo "$said"
		exit 1
	}
fi
shift 2
# One caget each: for a PV that is not there it forgets those that are.
n=0
for name; do
	n=$((n + 1))
	caget -w 3 -F '	' "$name" >/tmp/ca.$n 2>/dev/null &
done
pvget -w 3 -M json "$@" >/tmp/pva 2>/dev/null
wait
cat /tmp/ca.*
echo @pva
exec cat /tmp/pva
