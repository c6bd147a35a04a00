/* Device support "Raw": the address "@21" is the raw value itself. */
#define USE_TYPED_DSET

#include <stdlib.h>

#include <aiRecord.h>
#include <devSup.h>
#include <epicsExport.h>
#include <link.h>

#include <scale.h>

static long readRaw(aiRecord *record)
{
    record->val = scaleRaw(strtol(record->inp.value.instio.string, NULL, 10));
    record->udf = 0;
    return 2; /* do not convert */
}

static aidset devAiRaw = {{6, NULL, NULL, NULL, NULL}, readRaw, NULL};
epicsExportAddress(dset, devAiRaw);
