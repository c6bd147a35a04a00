/* A subroutine: the mean of A, B and C, by a filter of another repository. */
#include <epicsExport.h>
#include <registryFunction.h>
#include <subRecord.h>

#include "fir.h"

static long meanValue(subRecord *record)
{
    double samples[] = {record->a, record->b, record->c};

    record->val = firMean(samples, 3);
    return 0;
}
epicsRegisterFunction(meanValue);
