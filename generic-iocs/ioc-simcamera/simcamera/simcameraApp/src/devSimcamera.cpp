/*
 * Device support: records of type ai, ao, bi and bo that read and write a
 * simulated camera. Their address (INP or OUT) is "@CAMERA FIELD".
 */
#define USE_TYPED_DSET
#define USE_TYPED_RSET

#include <cstdio>
#include <map>
#include <string>

#include <aiRecord.h>
#include <alarm.h>
#include <aoRecord.h>
#include <biRecord.h>
#include <boRecord.h>
#include <dbCommon.h>
#include <devSup.h>
#include <epicsExport.h>
#include <errlog.h>
#include <recGbl.h>

#include "camera.h"

namespace {

enum Types { AI = 1, AO = 2, BI = 4, BO = 8 };

struct Named {
    Field field;
    int types; /* of records that it can be given to */
};

const std::map<std::string, Named> fields = {
    {"EXPOSURE", {Field::EXPOSURE, AI | AO}}, {"PERIOD", {Field::PERIOD, AI | AO}},
    {"X", {Field::X, AI | AO}},               {"Y", {Field::Y, AI | AO}},
    {"WIDTH", {Field::WIDTH, AI | AO}},       {"HEIGHT", {Field::HEIGHT, AI | AO}},
    {"COUNT", {Field::COUNT, AI | AO}},       {"FRAMES", {Field::FRAMES, AI}},
    {"DROPPED", {Field::DROPPED, AI}},        {"RATE", {Field::RATE, AI}},
    {"MEAN", {Field::MEAN, AI}},              {"ACQUIRING", {Field::ACQUIRING, BI}},
    {"START", {Field::START, BO}},            {"STOP", {Field::STOP, BO}},
    {"RECEIVED", {Field::RECEIVED, AI}},      {"MISSED", {Field::MISSED, AI}},
    {"SHOWN", {Field::SHOWN, AI}},            {"CONNECTED", {Field::CONNECTED, BI}},
};

/* What a record keeps in its dpvt. */
struct Point {
    Camera *camera;
    Field field;
};

const Point *point(const void *rec)
{
    return static_cast<const Point *>(static_cast<const dbCommon *>(rec)->dpvt);
}

long refuse(dbCommon *rec, const std::string &address, const char *why)
{
    errlogPrintf("ERROR %s: address \"@%s\": %s\n", rec->name, address.c_str(), why);
    rec->pact = TRUE; /* never processed */
    return S_dev_badSignal;
}

long connectRecord(dbCommon *rec, const DBLINK &link, int type)
{
    char camera[64], name[16], rest[2];
    const std::string address = link.type == INST_IO ? link.value.instio.string : "";

    if (std::sscanf(address.c_str(), "%63s %15s %1s", camera, name, rest) != 2)
        return refuse(rec, address, "must be written \"@CAMERA FIELD\"");
    auto named = fields.find(name);
    if (named == fields.end())
        return refuse(rec, address, "no such field; the README of simcamera lists them");
    if (!(named->second.types & type))
        return refuse(rec, address, "this record type cannot have that field");
    Camera *found = Camera::find(camera);
    if (!found)
        return refuse(rec, address, "no such camera; the start-up script makes it by simcameraConfig before iocInit");
    rec->dpvt = new Point{found, named->second.field};
    return 0;
}

long readings(int, dbCommon *rec, IOSCANPVT *list)
{
    if (!rec->dpvt) /* its address was refused */
        return S_dev_NoInit;
    *list = point(rec)->camera->readings();
    return 0;
}

double read(dbCommon *rec)
{
    rec->udf = FALSE;
    return point(rec)->camera->get(point(rec)->field);
}

/* Writes, and turns a refusal into the record's alarm. */
long write(void *rec, double value)
{
    if (!point(rec)->camera->put(point(rec)->field, value))
        recGblSetSevr(static_cast<dbCommon *>(rec), WRITE_ALARM, INVALID_ALARM);
    return 0;
}

/* An output record is defined from the start: it shows what the camera has. */
void defined(dbCommon *rec)
{
    rec->udf = FALSE;
    rec->stat = NO_ALARM;
    rec->sevr = NO_ALARM;
}

long initAi(dbCommon *rec)
{
    return connectRecord(rec, reinterpret_cast<aiRecord *>(rec)->inp, AI);
}

long readAi(aiRecord *rec)
{
    rec->val = read(reinterpret_cast<dbCommon *>(rec));
    return 2; /* VAL is set, nothing to convert */
}

long initAo(dbCommon *rec)
{
    aoRecord *ao = reinterpret_cast<aoRecord *>(rec);
    if (long status = connectRecord(rec, ao->out, AO))
        return status;
    const Point *p = point(rec);
    /* UDF is clear when the database file or autosave gave it a value. */
    if (!ao->udf && !p->camera->put(p->field, ao->val))
        errlogPrintf("ERROR %s: initial value %g is not possible; it is left at %g\n", rec->name, ao->val,
                     p->camera->get(p->field));
    ao->val = p->camera->get(p->field);
    defined(rec);
    return 2;
}

long writeAo(aoRecord *rec)
{
    return write(rec, rec->oval);
}

long initBi(dbCommon *rec)
{
    return connectRecord(rec, reinterpret_cast<biRecord *>(rec)->inp, BI);
}

long readBi(biRecord *rec)
{
    rec->val = read(reinterpret_cast<dbCommon *>(rec)) != 0;
    return 2;
}

long initBo(dbCommon *rec)
{
    if (long status = connectRecord(rec, reinterpret_cast<boRecord *>(rec)->out, BO))
        return status;
    defined(rec);
    return 2;
}

/* Only a 1 is a command: the record's own return to 0 is not. */
long writeBo(boRecord *rec)
{
    return rec->val ? write(rec, 1) : 0;
}

aidset devAiSimcamera = {{6, nullptr, nullptr, initAi, readings}, readAi, nullptr};
aodset devAoSimcamera = {{6, nullptr, nullptr, initAo, nullptr}, writeAo, nullptr};
bidset devBiSimcamera = {{5, nullptr, nullptr, initBi, readings}, readBi};
bodset devBoSimcamera = {{5, nullptr, nullptr, initBo, nullptr}, writeBo};

} // namespace

extern "C" {
epicsExportAddress(dset, devAiSimcamera);
epicsExportAddress(dset, devAoSimcamera);
epicsExportAddress(dset, devBiSimcamera);
epicsExportAddress(dset, devBoSimcamera);
}
