#!/bin/bash
# Builds the benchmark's sources with make alone, one after the other, as root
# in a container of Debian. /src/modules.list names a support module a line, and
# what it needs. BASE_URL and BASE_REF say where EPICS Base is; PACKAGES is what
# its recipe asks for.
set -euo pipefail
export EPICS_HOST_ARCH=linux-x86_64 DEBIAN_FRONTEND=noninteractive

apt-get update -q
# shellcheck disable=SC2086 # a list of packages
apt-get install -qy --no-install-recommends $PACKAGES
git clone -q --depth=1 --recurse-submodules --shallow-submodules \
	-b "$BASE_REF" "$BASE_URL" /epics/epics-base
make -j"$(nproc)" -C /epics/epics-base

mkdir -p /epics/support
while read -r module needs; do
	cp -r "/src/modules/$module" /epics/support/
	{
		for need in $needs; do
			echo "${need^^} = /epics/support/$need"
		done
		echo "EPICS_BASE = /epics/epics-base"
	} >"/epics/support/$module/configure/RELEASE.local"
	make -j"$(nproc)" -C "/epics/support/$module" </dev/null
done </src/modules.list

cp -r /app /epics/ioc
make -j"$(nproc)" -C /epics/ioc
