dbLoadDatabase "/epics/ioc/dbd/ioc.dbd"
ioc_registerRecordDeviceDriver(pdbbase)

# Sample stages: name, velocity in mm/s, low and high limit in mm.
simstageConfig("SAMPLE.X", 10, -50, 50)
simstageConfig("SAMPLE.Y", 10, -20, 20)
simstageKeep("/epics/autosave/stages")

dbLoadRecords "heartbeat.template", "P=BL45P-MO-IOC-01:"
dbLoadTemplate "stages.substitutions"

iocInit
