dbLoadDatabase "/epics/ioc/dbd/ioc.dbd"
ioc_registerRecordDeviceDriver(pdbbase)
tableLoad "/epics/support/table/data/table.txt"
tableDevice "127.0.0.1", 4001
dbLoadRecords "axis.db", "P=TEST:"
dbLoadRecords "table.db", "P=TEST:"
dbLoadRecords "settings.db", "P=TEST:"
dbLoadRecords "mean.db", "P=TEST:"
iocInit
