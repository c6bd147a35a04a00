#!/bin/sh
# trace.sh COMMAND…: boots an IOC whose command writes a trace. stdout: the trace.
/smoke/boot.sh "$@" >/tmp/booted || exit 1
[ -s /tmp/trace ] || cat /tmp/booted
exec cat /tmp/trace
