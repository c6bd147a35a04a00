/*
 * The stages of this IOC: each is a name (PORT), a motion and the thread that
 * moves them all in real time. Everything here may be called from any thread.
 */
#ifndef INC_drvSimstage_H
#define INC_drvSimstage_H

#include <dbScan.h>

#include "simMotion.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct simstage simstage;

/* What a record can read or write, by the names that stand in its address. */
typedef enum {
    simstageVAL,  /* setpoint: where the stage goes, EGU */
    simstageRBV,  /* readback: where it is, EGU */
    simstageVELO, /* EGU per second */
    simstageHLM,  /* soft limits, EGU */
    simstageLLM,
    simstageMOVN, /* 1 while it moves */
    simstageDMOV, /* 1 while it doesn't */
    simstageLVIO, /* 1 when the latest setpoint was outside the limits */
    simstageSTOP, /* written: stop */
    simstageHOME  /* written: go to 0, which is a setpoint like any other */
} simstageField;

/* Makes a stage. NULL when it can't be; *why then says why in a few words. */
simstage *simstageCreate(const char *port, double velocity, double low, double high,
                         const char **why);

/* The stage of this name, or NULL. */
simstage *simstageFind(const char *port);

double simstageGet(simstage *s, simstageField field);
simMotionStatus simstagePut(simstage *s, simstageField field, double value);

/* Sets what a record had before the IOC began (from its database file or from
 * autosave). VAL puts the stage there without moving. Limits are taken one by
 * one in no order, so they are not compared with each other. */
simMotionStatus simstageRestore(simstage *s, simstageField field, double value);

/* Asks for `changed(arg)` whenever something else than a write to VAL changes
 * the setpoint. It is called with the driver's lock held: it may not call back. */
void simstageOnSetpoint(simstage *s, void (*changed)(void *arg), void *arg);

/* Calls `visit(port, position, arg)` for every stage. */
void simstageEach(void (*visit)(const char *port, double position, void *arg), void *arg);

/* Asks for `rested()` whenever the last moving stage has come to rest, and at
 * exit. It is called without the driver's lock, from one thread at a time. */
void simstageOnRest(void (*rested)(void));

/* The scan list of records that read this stage with SCAN "I/O Intr". */
IOSCANPVT simstageReadings(simstage *s);

/* Prints the stages on stdout; `level` above 0 prints their limits too. */
void simstageReport(int level);

#ifdef __cplusplus
}
#endif
#endif
