/*
 * Device support: records of type ai, ao, bi and bo that read and write a
 * simulated stage. Their address (INP or OUT) is "@PORT FIELD".
 */
#define USE_TYPED_DSET
#define USE_TYPED_RSET

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <aiRecord.h>
#include <alarm.h>
#include <aoRecord.h>
#include <biRecord.h>
#include <boRecord.h>
#include <callback.h>
#include <cantProceed.h>
#include <dbAccess.h>
#include <dbLink.h>
#include <dbLock.h>
#include <devSup.h>
#include <epicsExport.h>
#include <errlog.h>
#include <recGbl.h>

#include "drvSimstage.h"

/* Record types that a field can be given to. */
enum { AI = 1, AO = 2, BI = 4, BO = 8 };

static const struct {
    const char *name;
    simstageField field;
    int types;
} fields[] = {
    {"VAL", simstageVAL, AI | AO},
    {"RBV", simstageRBV, AI},
    {"VELO", simstageVELO, AI | AO},
    {"HLM", simstageHLM, AI | AO},
    {"LLM", simstageLLM, AI | AO},
    {"MOVN", simstageMOVN, BI},
    {"DMOV", simstageDMOV, BI},
    {"LVIO", simstageLVIO, BI},
    {"STOP", simstageSTOP, BO},
    {"HOME", simstageHOME, BO},
};

/* What a record keeps in its dpvt. */
typedef struct {
    simstage *stage;
    simstageField field;
    /* Only the setpoint's record uses these: */
    dbCommon *record;
    epicsCallback follow; /* queued when something else changed the setpoint */
    int following;        /* the record is processed to show, not to move */
} point;

static long refuse(dbCommon *rec, const char *address, const char *why)
{
    errlogPrintf("ERROR %s: address \"@%s\": %s\n", rec->name, address, why);
    rec->pact = TRUE; /* never processed */
    return S_dev_badSignal;
}

/* Gives the field of this name, when a record of this type can have it. */
static const char *lookUp(const char *name, int type, simstageField *field)
{
    size_t i;

    for (i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (strcmp(fields[i].name, name) != 0)
            continue;
        *field = fields[i].field;
        return fields[i].types & type ? NULL : "this record type cannot have that field";
    }
    return "no such field; there are VAL RBV VELO HLM LLM (ai, ao), MOVN DMOV LVIO (bi), STOP HOME (bo)";
}

static long connectRecord(dbCommon *rec, const DBLINK *link, int type)
{
    char port[64], name[16], rest[2];
    const char *address, *why;
    point *p;

    if (link->type != INST_IO)
        return refuse(rec, "", "must be written \"@PORT FIELD\"");
    address = link->value.instio.string;
    if (sscanf(address, "%63s %15s %1s", port, name, rest) != 2)
        return refuse(rec, address, "must be written \"@PORT FIELD\"");
    p = callocMustSucceed(1, sizeof *p, "simstage");
    why = lookUp(name, type, &p->field);
    p->stage = simstageFind(port);
    if (!p->stage)
        why = "no such stage; the start-up script makes it by "
              "simstageConfig(\"PORT\", velocity, lowLimit, highLimit) before iocInit";
    if (why) {
        free(p);
        return refuse(rec, address, why);
    }
    rec->dpvt = p;
    return 0;
}

static long readings(int detach, dbCommon *rec, IOSCANPVT *list)
{
    point *p = rec->dpvt;

    (void)detach;
    if (!p) /* its address was refused */
        return S_dev_NoInit;
    *list = simstageReadings(p->stage);
    return 0;
}

/* Writes, and turns a refusal into the record's alarm. */
static long writePoint(dbCommon *rec, double value)
{
    point *p = rec->dpvt;

    switch (simstagePut(p->stage, p->field, value)) {
    case simMotionOk:
        return 0;
    case simMotionLimit:
        recGblSetSevr(rec, HW_LIMIT_ALARM, MAJOR_ALARM);
        return 0;
    case simMotionBad:
        break;
    }
    recGblSetSevr(rec, WRITE_ALARM, INVALID_ALARM);
    return 0;
}

/* An output record is defined from the start: it shows what the stage has. */
static void defined(dbCommon *rec)
{
    rec->udf = FALSE;
    rec->stat = NO_ALARM;
    rec->sevr = NO_ALARM;
}

static long initAi(dbCommon *rec)
{
    return connectRecord(rec, &((aiRecord *)rec)->inp, AI);
}

static long readAi(aiRecord *rec)
{
    point *p = rec->dpvt;

    rec->val = simstageGet(p->stage, p->field);
    rec->udf = FALSE;
    return 2; /* VAL is set, nothing to convert */
}

static void setpointChanged(void *arg)
{
    point *p = arg;

    callbackRequest(&p->follow);
}

/* Shows the setpoint that the stage has now. */
static void follow(epicsCallback *callback)
{
    point *p;
    aoRecord *rec;

    callbackGetUser(p, callback);
    rec = (aoRecord *)p->record;
    dbScanLock(p->record);
    rec->val = rec->oval = simstageGet(p->stage, p->field);
    p->following = 1;
    dbProcess(p->record);
    p->following = 0;
    dbScanUnlock(p->record);
}

static void followSetpoint(point *p, dbCommon *rec)
{
    p->record = rec;
    callbackSetCallback(follow, &p->follow);
    callbackSetPriority(priorityMedium, &p->follow);
    callbackSetUser(p, &p->follow);
    simstageOnSetpoint(p->stage, setpointChanged, p);
}

static long initAo(dbCommon *rec)
{
    aoRecord *ao = (aoRecord *)rec;
    long status = connectRecord(rec, &ao->out, AO);
    point *p = rec->dpvt;

    if (status)
        return status;
    /* UDF is clear when the database file or autosave gave it a value. */
    if (!ao->udf && simstageRestore(p->stage, p->field, ao->val) != simMotionOk)
        errlogPrintf("ERROR %s: initial value %g is not a possible %s; it is left as simstageConfig set it\n",
                     rec->name, ao->val, ao->out.value.instio.string);
    ao->val = simstageGet(p->stage, p->field);
    if (p->field == simstageVAL)
        followSetpoint(p, rec);
    defined(rec);
    return 2;
}

static long writeAo(aoRecord *rec)
{
    point *p = rec->dpvt;

    return p->following ? 0 : writePoint((dbCommon *)rec, rec->oval);
}

static long initBi(dbCommon *rec)
{
    return connectRecord(rec, &((biRecord *)rec)->inp, BI);
}

static long readBi(biRecord *rec)
{
    point *p = rec->dpvt;

    rec->val = simstageGet(p->stage, p->field) != 0;
    rec->udf = FALSE;
    return 2;
}

static long initBo(dbCommon *rec)
{
    long status = connectRecord(rec, &((boRecord *)rec)->out, BO);

    if (status)
        return status;
    defined(rec);
    return 2;
}

/* Only a 1 is a command: the record's own return to 0 is not. */
static long writeBo(boRecord *rec)
{
    return rec->val ? writePoint((dbCommon *)rec, 1) : 0;
}

static aidset devAiSimstage = {{6, NULL, NULL, initAi, readings}, readAi, NULL};
static aodset devAoSimstage = {{6, NULL, NULL, initAo, NULL}, writeAo, NULL};
static bidset devBiSimstage = {{5, NULL, NULL, initBi, readings}, readBi};
static bodset devBoSimstage = {{5, NULL, NULL, initBo, NULL}, writeBo};

epicsExportAddress(dset, devAiSimstage);
epicsExportAddress(dset, devAoSimstage);
epicsExportAddress(dset, devBiSimstage);
epicsExportAddress(dset, devBoSimstage);
