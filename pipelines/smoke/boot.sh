#!/bin/sh
# boot.sh COMMAND…: starts an IOC as its pod does, asks it, and stops it.
# boots.sh has taken the network away, and most of what can be written to.
#
# From the environment: RUN_AS=UID:GID; BOOTS, how often it is booted on the same
# autosave volume. From /smoke: the checks of each boot for ioc-ask, ioc/checks.1,
# ioc/checks.2; a script for each simulator, beside/*.sh.
#
# stdout, for each boot N: "@log N" and what the IOC printed; "@pvs N" and its
# records with their types; "@answers N" and what ioc-ask printed; "@exit N
# STATUS", 137 when the IOC did not stop within its grace period. At last
# "@beside NAME" and the last lines of each simulator.
set -u

# At its end an IOC waits for a name server that does not answer, and none does here.
unset EPICS_CA_NAME_SERVERS

perl /smoke/loopback.pl || exit 1
[ ! -d /epics/autosave/. ] || chown "$RUN_AS" /epics/autosave 2>/dev/null

# What an IOC, and whoever asks it, is started through: no privileges.
user="setpriv --reuid ${RUN_AS%:*} --regid ${RUN_AS#*:} --clear-groups"
user="$user --inh-caps=-all --bounding-set=-all --no-new-privs"

for script in /smoke/beside/*.sh; do
	[ -e "$script" ] || continue
	name=${script##*/}
	unshare --pid --fork --kill-child sh "$script" >"/tmp/beside.${name%.sh}" 2>&1 &
done

# state_is WORD…: the word that ioc-run wrote last is one of these, or it is gone.
state_is() {
	state=
	[ ! -s "$state_file" ] || read -r state <"$state_file"
	for word; do
		[ "$state" != "$word" ] || return 0
	done
	! kill -0 "$unshare" 2>/dev/null
}

# wait_until TENTHS CONDITION…
wait_until() {
	left=$1
	shift
	until "$@"; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		sleep 0.1
	done
}

# children PID: its children, on one line.
children() { cat "/proc/$1/task/$1/children" 2>/dev/null; }

boot() { # N COMMAND…
	n=$1
	shift
	state_file=/tmp/state.$n
	mkfifo "/tmp/shell.$n"
	chmod 666 "/tmp/shell.$n"
	# ioc-run is process 1 of its own, as in a pod.
	# shellcheck disable=SC2086
	IOC_RUN_STATE=$state_file unshare --pid --fork --mount-proc $user "$@" \
		<>"/tmp/shell.$n" >"/tmp/log.$n" 2>&1 &
	unshare=$!
	# ioc-run itself ends an IOC that takes too long.
	wait_until 999999 state_is ready failed ended
	if [ "$state" = ready ]; then
		run=$(children "$unshare")
		echo "dbl \"\" \"RTYP\" > /tmp/records.$n" >"/tmp/shell.$n"
		echo "echo listed > /tmp/listed.$n" >"/tmp/shell.$n"
		wait_until 200 test -s "/tmp/listed.$n"
		touch /tmp/asked
		# shellcheck disable=SC2086
		[ ! -s "/smoke/ioc/checks.$n" ] ||
			$user /epics/ioc-run/ioc-ask "/smoke/ioc/checks.$n" >"/tmp/answers.$n" 2>&1
		[ "$n" -ge "$BOOTS" ] || saved "$n"
		kill -TERM "${run% }" 2>/dev/null
	fi
	wait "$unshare"
	status=$?
	echo "@log $n"
	cat "/tmp/log.$n"
	echo
	echo "@pvs $n"
	cat "/tmp/records.$n" 2>/dev/null
	echo "@answers $n"
	cat "/tmp/answers.$n" 2>/dev/null
	echo "@exit $n $status"
}

# saved N: waits until what was written to PVs in a boot has been saved, which
# autosave does every few seconds.
saved() {
	grep -q '^put ' "/smoke/ioc/checks.$1" || return 0
	wait_until 350 has_saved
	sleep 5 # for what was written last
}
has_saved() { [ -n "$(find /epics/autosave -type f -newer /tmp/asked 2>/dev/null)" ]; }

i=1
while [ $i -le "$BOOTS" ]; do
	boot $i "$@"
	i=$((i + 1))
done
for log in /tmp/beside.*; do
	[ -e "$log" ] || continue
	echo "@beside ${log#/tmp/beside.}"
	tail -n 20 "$log"
done
