dbLoadDatabase "/epics/ioc/dbd/ioc.dbd"
ioc_registerRecordDeviceDriver(pdbbase)

# Detector stage: name, velocity in mm/s, low and high limit in mm.
simstageConfig("DETECTOR.Z", 20, 100, 2500)

dbLoadRecords "heartbeat.template", "P=BL01T-MO-IOC-02:"
dbLoadTemplate "stages.substitutions"

iocInit
