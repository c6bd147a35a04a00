/* The commands of simcamera in the IOC shell. */
#define USE_TYPED_RSET

#include <cctype>
#include <cstdio>
#include <stdexcept>
#include <string>

#include <dbAccess.h>
#include <epicsExport.h>
#include <epicsStdio.h>
#include <iocsh.h>

#include "camera.h"

namespace {

/* Reports whether a camera's or a PV's name can be used. */
bool usable(const char *name)
{
    if (!name || !*name)
        return false;
    for (; *name; name++)
        if (std::isspace(static_cast<unsigned char>(*name)))
            return false;
    return true;
}

void complain(const char *command, const char *why, const iocshFuncDef &def)
{
    std::fprintf(stderr, "ERROR %s: %s\n%s", command, why, def.usage);
    iocshSetError(-1);
}

const iocshArg nameArg = {"CAMERA", iocshArgString};
const iocshArg pvArg = {"imagePV", iocshArgString};
const iocshArg widthArg = {"width", iocshArgInt};
const iocshArg heightArg = {"height", iocshArgInt};
const iocshArg levelArg = {"level", iocshArgInt};

const iocshArg *const configArgs[] = {&nameArg, &pvArg, &widthArg, &heightArg};
const iocshFuncDef configDef = {
    "simcameraConfig", 4, configArgs,
    "Makes a simulated camera, before iocInit.\n"
    "  CAMERA         its name, that records give in their address: @CAMERA FIELD\n"
    "  imagePV        the pvAccess PV of its image, an NTNDArray\n"
    "  width, height  of the sensor, in pixels\n"
    "Example: simcameraConfig(\"CAM1\", \"BL45P-EA-CAM-01:IMAGE\", 1024, 1024)\n"};

void config(const iocshArgBuf *args)
{
    const char *name = args[0].sval, *pv = args[1].sval;
    if (!usable(name) || !usable(pv))
        return complain("simcameraConfig", "CAMERA and imagePV must be names without blanks", configDef);
    if (interruptAccept)
        return complain("simcameraConfig", "it must stand before iocInit", configDef);
    try {
        Camera::create(name, pv, args[2].ival, args[3].ival);
    } catch (std::invalid_argument &why) {
        complain("simcameraConfig", why.what(), configDef);
    }
}

const iocshArg *const viewArgs[] = {&nameArg};
const iocshFuncDef viewDef = {
    "simcameraView", 1, viewArgs,
    "Lets a pvAccess client in this IOC take the camera's frames and count them, before iocInit.\n"
    "  CAMERA         its name in simcameraConfig\n"
    "Example: simcameraView(\"CAM1\")\n"};

void view(const iocshArgBuf *args)
{
    Camera *camera = args[0].sval ? Camera::find(args[0].sval) : nullptr;
    if (!camera)
        return complain("simcameraView", "no such camera", viewDef);
    if (interruptAccept)
        return complain("simcameraView", "it must stand before iocInit", viewDef);
    camera->view();
}

const iocshArg *const reportArgs[] = {&levelArg};
const iocshFuncDef reportDef = {
    "simcameraReport", 1, reportArgs,
    "Shows every simulated camera: its state and frames; level 1: its settings too.\n"};

void report(const iocshArgBuf *args)
{
    for (Camera *camera : Camera::all())
        camera->report(args[0].ival);
}

void simcameraRegister()
{
    iocshRegister(&configDef, config);
    iocshRegister(&viewDef, view);
    iocshRegister(&reportDef, report);
}

} // namespace

extern "C" {
epicsExportRegistrar(simcameraRegister);
}
