dbLoadDatabase "/epics/ioc/dbd/ioc.dbd"
ioc_registerRecordDeviceDriver(pdbbase)

# The sample camera: name, image, width and height of its sensor in pixels.
simcameraConfig("SAMPLE", "BL45P-EA-CAM-01:IMAGE", 1024, 1024)

dbLoadRecords "simcamera.template", "P=BL45P-EA-, M=CAM-01, PORT=SAMPLE, DESC=Sample"

iocInit
