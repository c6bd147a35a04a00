dbLoadDatabase "/epics/ioc/dbd/ioc.dbd"
ioc_registerRecordDeviceDriver(pdbbase)

# One camera of a megapixel, and a client that sees whether all of it arrives.
simcameraConfig("CAM", "SIM:CAM:IMAGE", 1024, 1024)
simcameraView("CAM")

dbLoadRecords "simcamera.template", "P=SIM:, M=CAM, PORT=CAM"
dbLoadRecords "simcameraView.template", "P=SIM:, M=CAM, PORT=CAM"

iocInit
