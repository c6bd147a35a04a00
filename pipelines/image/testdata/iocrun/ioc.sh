#!/bin/sh
# ioc.sh SCRIPT: an IOC shell as far as ioc-run sees it: runs a script, then what is typed.
trap 'echo "ioc: SIGTERM"; exit 0' TERM
# Which scripts there are is for a test to say.
# shellcheck source=/dev/null
. "$1"
while read -r line; do
	case $line in
	'< '*)
		# shellcheck source=/dev/null
		. "./${line#< }"
		;;
	*) eval "$line" ;;
	esac
done
echo 'ioc: end of input'
