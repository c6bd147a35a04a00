dbLoadDatabase "/epics/ioc/dbd/ioc.dbd"
ioc_registerRecordDeviceDriver(pdbbase)

# Camera stage: name, velocity in mm/s, low and high limit in mm.
simstageConfig("CAMERA.Z", 20, 50, 1500)

dbLoadRecords "heartbeat.template", "P=BL45P-MO-IOC-02:"
dbLoadTemplate "stages.substitutions"

iocInit
