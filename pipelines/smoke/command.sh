#!/bin/sh
# command.sh SECONDS UID:GID FOLDER [NAME=VALUE…] -- COMMAND…: runs a command in the
# root file system of a container image, which is mounted at /image, as a pod does: in
# that folder, with that environment alone, without a privilege, and with nowhere to
# write but /tmp. Its network leads nowhere. The image needs no program but the
# command: what isolates it is of the container that this script runs in.
#
# stdout: the last lines of what the command printed, and "@exit STATUS", 124 when it
# took too long.
set -u
if [ "${1:-}" != --alone ]; then
	exec unshare --net --mount --pid --fork --kill-child sh "$0" --alone "$@"
fi
shift
within=$1
shift

perl /smoke/loopback.pl || exit 1
mount -t proc proc /image/proc || exit 1
mount -t tmpfs -o mode=1777,nosuid,nodev tmp /image/tmp || exit 1
mount -t tmpfs -o mode=755,nosuid dev /image/dev || exit 1
for name in null zero full random urandom; do
	: >"/image/dev/$name"
	mount --bind "/dev/$name" "/image/dev/$name" || exit 1
done
mkdir -m 1777 /image/dev/shm
ln -s /proc/self/fd /image/dev/fd
mount -o remount,bind,ro /image || exit 1

# enter.pl needs three capabilities to become the user in the image; the command that
# it becomes has none, and can get none.
timeout --kill-after 5 "$within" setpriv --inh-caps=-all \
	--bounding-set=-all,+sys_chroot,+setuid,+setgid --no-new-privs \
	perl /smoke/enter.pl "$@" </dev/null >/tmp/output 2>&1
status=$?
[ "$status" != 137 ] || status=124
tail -n 40 /tmp/output | tail -c 16384
echo
echo "@exit $status"
