dbLoadDatabase "/epics/ioc/dbd/ioc.dbd"
ioc_registerRecordDeviceDriver(pdbbase)

# Camera Z: name, velocity in mm/s, low and high limit in mm.
simstageConfig("CAMERA.Z", 20, 50, 1500)
dbLoadRecords "simstage.template", "P=BL45P-MO-, M=STAGE-03, PORT=CAMERA.Z, DESC=Camera Z"

# Slit Y: name, velocity in mm/s, low and high limit in mm.
simstageConfig("SLIT.Y", 2, -5, 5)
dbLoadRecords "simstage.template", "P=BL45P-MO-, M=STAGE-04, PORT=SLIT.Y, DESC=Slit Y"

dbLoadRecords "heartbeat.template", "P=BL45P-MO-IOC-02:"
iocInit
