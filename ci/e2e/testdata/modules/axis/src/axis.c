/* Counts the moves of an axis. */
#include <epicsExport.h>
#include <registryFunction.h>
#include <subRecord.h>

#include <scale.h>

int axisMoves = 0;
epicsExportAddress(int, axisMoves);

static long axisCount(subRecord *record)
{
    record->val = scaleRaw(++axisMoves) / 2;
    return 0;
}
epicsRegisterFunction(axisCount);
