#!/bin/sh
# boots.sh COMMAND…: boots the IOCs of one image side by side. The network of each
# leads to the simulators that stand beside it and to nothing else, only its own
# autosave volume and /tmp can be written to, and none sees another.
#
# From /smoke/iocs.base64: a folder for each IOC, with its environment, its checks,
# and its config folder; one that is in an image of its own is in /smoke/own/NAME.
#
# stdout: "@ran" and when, in seconds. For each IOC: its name, and what boot.sh printed,
# in base64, so that no IOC can print for another.
set -u
if [ "${1:-}" = --alone ]; then
	name=$2
	shift 2
	config=/smoke/iocs/$name/config
	[ ! -d "/smoke/own/$name" ] || config=/smoke/own/$name
	mount --bind "$config" /epics/config || exit 1
	mount --bind "/smoke/iocs/$name" /smoke/ioc || exit 1
	for folder in / /epics/config /smoke/ioc /smoke/out; do
		mount -o remount,bind,ro $folder || exit 1
	done
	mount -t tmpfs -o mode=1777 tmp /tmp || exit 1
	[ ! -d /epics/autosave/. ] || mount -t tmpfs autosave /epics/autosave || exit 1
	cd "$PWD" || exit 1 # which may be the config folder
	exec perl /smoke/environment.pl /smoke/ioc/environment sh /smoke/boot.sh "$@"
fi

date '+@ran %s'
mkdir -p /epics/config /smoke/iocs /smoke/ioc
base64 -d /smoke/iocs.base64 | tar -x -C /smoke/iocs || exit 1
# shellcheck disable=SC2016
printf '%s\n' /smoke/iocs/* | sed 's:.*/::' | xargs -P "$(nproc)" -I '{ioc}' sh -c '
	exec unshare --net --mount --ipc sh /smoke/boots.sh --alone "$@" >"/smoke/out/$1"' sh '{ioc}' "$@" || exit 1
for out in /smoke/out/*; do
	printf '%s ' "${out##*/}"
	base64 -w 0 "$out"
	echo
done
