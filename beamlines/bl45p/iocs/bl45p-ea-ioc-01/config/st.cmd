dbLoadDatabase "/epics/ioc/dbd/ioc.dbd"
ioc_registerRecordDeviceDriver(pdbbase)

# Sample camera: name, PV of the image, width and height of the sensor in pixels.
simcameraConfig("SAMPLE", "BL45P-EA-CAM-01:IMAGE", 1024, 1024)

dbLoadRecords "simcamera.template", "P=BL45P-EA-, M=CAM-01, PORT=SAMPLE, DESC=Sample"

iocInit
