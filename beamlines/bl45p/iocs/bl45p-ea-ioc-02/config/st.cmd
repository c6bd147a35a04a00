dbLoadDatabase "/epics/ioc/dbd/ioc.dbd"
ioc_registerRecordDeviceDriver(pdbbase)

# Beam camera: name, PV of the image, width and height of the sensor in pixels.
simcameraConfig("BEAM", "BL45P-EA-CAM-02:IMAGE", 640, 480)

dbLoadRecords "simcamera.template", "P=BL45P-EA-, M=CAM-02, PORT=BEAM, DESC=Beam"
# A folder in config/ makes an image of the instance's own of it.
dbLoadRecords "db/saturation.template", "P=BL45P-EA-, M=CAM-02"

iocInit
