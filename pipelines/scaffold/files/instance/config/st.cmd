dbLoadDatabase "/epics/ioc/dbd/ioc.dbd"
ioc_registerRecordDeviceDriver(pdbbase)
dbLoadRecords "heartbeat.db", "P=<<.Prefix>>:"
iocInit
