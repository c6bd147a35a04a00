/* crash: writes where there is no memory, as a driver with a bug does. */
#include <epicsExport.h>
#include <iocsh.h>

static void writeNowhere(volatile int *nowhere)
{
    *nowhere = 1;
}

static void crash(const iocshArgBuf *args)
{
    volatile int *volatile nowhere = 0;

    (void) args;
    writeNowhere(nowhere);
}

static const iocshFuncDef crashDef = {"crash", 0, 0, "Crashes the IOC.\n"};

static void crashRegister(void)
{
    iocshRegister(&crashDef, crash);
}
epicsExportRegistrar(crashRegister);
