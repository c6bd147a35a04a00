dbLoadDatabase "/epics/ioc/dbd/ioc.dbd"
ioc_registerRecordDeviceDriver(pdbbase)

# Sample stages: name, velocity in mm/s, low and high limit in mm.
simstageConfig("SAMPLE.X", 5, -50, 50)
simstageConfig("SAMPLE.Y", 5, -20, 20)

dbLoadRecords "heartbeat.template", "P=BL01T-MO-IOC-01:"
dbLoadTemplate "stages.substitutions"

iocInit
