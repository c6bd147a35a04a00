/* Loads a calibration table in the start-up script: tableLoad "file". */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <epicsExport.h>
#include <iocsh.h>
#include <registryFunction.h>
#include <subRecord.h>

static int rows;

static long tableRows(subRecord *record)
{
    record->val = rows;
    return 0;
}
epicsRegisterFunction(tableRows);

static void load(const iocshArgBuf *args)
{
    double x, y;
    FILE *file = fopen(args[0].sval, "r");

    if (!file) {
        fprintf(stderr, "ERROR tableLoad %s: %s\n", args[0].sval, strerror(errno));
        iocshSetError(-1);
        return;
    }
    while (fscanf(file, "%lf %lf", &x, &y) == 2)
        rows++;
    fclose(file);
}

static const iocshArg fileArg = {"file", iocshArgString};
static const iocshArg *const loadArgs[] = {&fileArg};
static const iocshFuncDef loadDef = {"tableLoad", 1, loadArgs, "Loads a calibration table.\n"};

static void tableRegister(void)
{
    iocshRegister(&loadDef, load);
}
epicsExportRegistrar(tableRegister);
