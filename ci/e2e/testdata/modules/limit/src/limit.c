/* A subroutine: A, but no more than a raw value of 50 is. */
#include <epicsExport.h>
#include <registryFunction.h>
#include <subRecord.h>

#include <scale.h>

static long limitValue(subRecord *record)
{
    double most = scaleRaw(50);

    record->val = record->a > most ? most : record->a;
    return 0;
}
epicsRegisterFunction(limitValue);
