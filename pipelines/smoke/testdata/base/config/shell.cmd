nobodyConfig 1
eltc 1x
eltc 99999999999999999999
epicsThreadSleep soon
dbl > /nowhere/pvs
dbl >
epicsEnvSet A "x
echo x \
ioc_registerRecordDeviceDriver(nobody)
var nobodyDebug 1
var dbTemplateMaxVars many
var boHIGHlimit long
var nobodyDebug
epicsEnvSet
epicsEnvSet A
epicsEnvUnset
dbLoadDatabase
dbLoadRecords
dbLoadTemplate
on error maybe
cd /nowhere
dbpf
echo $(NOBODY)
callbackParallelThreads 1 nobody
asSetSubstitutions
