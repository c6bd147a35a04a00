#!/bin/sh
# Makes the start-up script of an IOC from the table of its stages.
set -e
ioc=$(echo "$IOC_NAME" | tr '[:lower:]' '[:upper:]')
{
	echo 'dbLoadDatabase "/epics/ioc/dbd/ioc.dbd"'
	echo 'ioc_registerRecordDeviceDriver(pdbbase)'
	msi -S stages.substitutions
	echo
	echo "dbLoadRecords \"heartbeat.template\", \"P=$ioc:\""
	echo iocInit
} >/epics/config/st.cmd
