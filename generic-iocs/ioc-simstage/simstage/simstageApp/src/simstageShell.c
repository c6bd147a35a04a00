/* The commands of simstage in the IOC shell. */
#define USE_TYPED_RSET

#include <ctype.h>
#include <stdio.h>

#include <dbAccess.h>
#include <epicsExport.h>
#include <epicsStdio.h>
#include <iocsh.h>

#include "drvSimstage.h"
#include "keepSimstage.h"

static int usable(const char *port)
{
    if (!port || !*port)
        return 0;
    for (; *port; port++)
        if (isspace((unsigned char)*port))
            return 0;
    return 1;
}

static const iocshArg configPort = {"PORT", iocshArgString};
static const iocshArg configVelocity = {"velocity", iocshArgDouble};
static const iocshArg configLow = {"lowLimit", iocshArgDouble};
static const iocshArg configHigh = {"highLimit", iocshArgDouble};
static const iocshArg *const configArgs[] = {&configPort, &configVelocity, &configLow, &configHigh};
static const iocshFuncDef configDef = {
    "simstageConfig", 4, configArgs,
    "Makes a simulated motion stage, before iocInit.\n"
    "  PORT       its name, that records give in their address: @PORT FIELD\n"
    "  velocity   how fast it moves, in engineering units per second, above 0\n"
    "  lowLimit, highLimit  soft limits, in engineering units\n"
    "Example: simstageConfig(\"STAGE1\", 5, -100, 100)\n"};

static void config(const iocshArgBuf *args)
{
    const char *port = args[0].sval;
    const char *why = NULL;

    if (!usable(port))
        why = "PORT must be a name without blanks";
    else if (interruptAccept)
        why = "it must stand before iocInit";
    else if (simstageCreate(port, args[1].dval, args[2].dval, args[3].dval, &why))
        return;
    fprintf(stderr,
            "ERROR simstageConfig(\"%s\", %g, %g, %g): %s\n"
            "  usage: simstageConfig(\"PORT\", velocity, lowLimit, highLimit)\n",
            port ? port : "", args[1].dval, args[2].dval, args[3].dval, why);
    iocshSetError(-1);
}

static const iocshArg keepFile = {"file", iocshArgString};
static const iocshArg *const keepArgs[] = {&keepFile};
static const iocshFuncDef keepDef = {
    "simstageKeep", 1, keepArgs,
    "Keeps where the stages stand in a file, across restarts; after simstageConfig, before iocInit.\n"
    "Example: simstageKeep(\"/epics/autosave/stages\")\n"};

static void keep(const iocshArgBuf *args)
{
    const char *file = args[0].sval;
    const char *why = "name a file";

    if (interruptAccept)
        why = "it must stand before iocInit";
    else if (file && *file)
        why = simstageKeep(file);
    if (!why)
        return;
    fprintf(stderr, "ERROR simstageKeep(\"%s\"): %s\n", file ? file : "", why);
    iocshSetError(-1);
}

static const iocshArg reportLevel = {"level", iocshArgInt};
static const iocshArg *const reportArgs[] = {&reportLevel};
static const iocshFuncDef reportDef = {
    "simstageReport", 1, reportArgs,
    "Shows every simulated stage: position, setpoint, velocity; level 1: limits too.\n"};

static void reportAll(const iocshArgBuf *args)
{
    simstageReport(args[0].ival);
}

static void simstageRegister(void)
{
    iocshRegister(&configDef, config);
    iocshRegister(&keepDef, keep);
    iocshRegister(&reportDef, reportAll);
}
epicsExportRegistrar(simstageRegister);
