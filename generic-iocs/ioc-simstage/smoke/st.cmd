dbLoadDatabase "/epics/ioc/dbd/ioc.dbd"
ioc_registerRecordDeviceDriver(pdbbase)

# One stage that is fast enough for a test, and one too slow to arrive in it.
simstageConfig("STAGE", 200, -100, 100)
simstageConfig("SLOW", 0.1, 10, 100)

dbLoadRecords "heartbeat.template", "P=SIM:IOC:"
dbLoadTemplate "stages.substitutions"

iocInit
