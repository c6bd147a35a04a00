#!/bin/sh
# trace.sh COMMAND…: boots an IOC whose command writes a trace. stdout: the trace.
chmod 1777 /smoke/trace
/smoke/boots.sh "$@" >/tmp/booted || exit 1
[ -s /smoke/trace/opened ] || cat /smoke/out/*
exec cat /smoke/trace/opened
