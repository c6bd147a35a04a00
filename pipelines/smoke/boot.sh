#!/bin/sh
# boot.sh COMMAND…: starts an IOC as its image would, waits until it has
# started or has left, asks it to stop, and says how that went.
# stdout: the IOC's own output; then "@pvs" and its records with their types;
# then "@exit STATUS", 124 when it did not stop within the grace period.
log=/tmp/boot.log
pvs=/tmp/boot.pvs
wait_for() { # SECONDS CONDITION…
	n=$(($1 * 20))
	shift
	until "$@"; do
		n=$((n - 1))
		[ $n -gt 0 ] || return 1
		sleep 0.05
	done
}
gone() { ! kill -0 $ioc 2>/dev/null; }
started() { grep -q '^@started' $log || gone; }

"$@" >$log 2>&1 &
ioc=$!
wait_for "${WITHIN:-120}" started
# What runs the IOC for us says which process that is.
kill -TERM "$(cat /tmp/ioc.pid 2>/dev/null || echo $ioc)" 2>/dev/null
(wait_for "${GRACE:-30}" gone || kill -KILL $ioc 2>/dev/null) &
wait $ioc
status=$?
[ $status -eq 137 ] && status=124
cat $log
echo '@pvs'
cat $pvs 2>/dev/null
echo "@exit $status"
