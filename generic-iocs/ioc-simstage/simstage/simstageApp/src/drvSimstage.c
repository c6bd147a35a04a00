#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cantProceed.h>
#include <drvSup.h>
#include <epicsEvent.h>
#include <epicsExit.h>
#include <epicsExport.h>
#include <epicsMutex.h>
#include <epicsStdio.h>
#include <epicsString.h>
#include <epicsThread.h>
#include <epicsTime.h>

#include "drvSimstage.h"

#define POLL_SECONDS 0.05 /* between two readings of a moving stage */

typedef struct listener {
    struct listener *next;
    void (*changed)(void *arg);
    void *arg;
} listener;

struct simstage {
    simstage *next;
    char *port;
    simMotion motion;
    epicsUInt64 seen; /* when `motion` was last brought up to date, ns */
    int news;         /* something to read has changed since the last scan */
    IOSCANPVT readings;
    listener *listeners;
};

/* A site has a handful of stages in an IOC, so one lock and one thread serve all. */
static struct {
    epicsMutexId lock;
    epicsEventId wake;
    epicsThreadId mover;
    simstage *stages;
    void (*rested)(void);
    int stopping;
} driver;

static epicsThreadOnceId once = EPICS_THREAD_ONCE_INIT;

/* Lets the motion catch up with the clock. Call with the lock held. */
static void catchUp(simstage *s)
{
    epicsUInt64 now = epicsMonotonicGet();

    if (simMotionMoving(&s->motion)) {
        simMotionAdvance(&s->motion, (double)(now - s->seen) * 1e-9);
        s->news = 1;
    }
    s->seen = now;
}

/* Moves and announces every stage; says whether any is still moving. */
static int moveAll(void)
{
    simstage *s;
    int moving = 0;

    epicsMutexMustLock(driver.lock);
    for (s = driver.stages; s; s = s->next) {
        catchUp(s);
        if (s->news)
            scanIoRequest(s->readings);
        s->news = 0;
        moving |= simMotionMoving(&s->motion);
    }
    epicsMutexUnlock(driver.lock);
    return moving;
}

static int stopping(void)
{
    int yes;

    epicsMutexMustLock(driver.lock);
    yes = driver.stopping;
    epicsMutexUnlock(driver.lock);
    return yes;
}

static void rest(void)
{
    void (*rested)(void);

    epicsMutexMustLock(driver.lock);
    rested = driver.rested;
    epicsMutexUnlock(driver.lock);
    if (rested)
        rested();
}

static void mover(void *unused)
{
    int moved = 0;

    (void)unused;
    while (!stopping()) {
        int moving = moveAll();

        if (moved && !moving)
            rest();
        moved = moving;
        if (moving)
            epicsEventWaitWithTimeout(driver.wake, POLL_SECONDS);
        else
            epicsEventMustWait(driver.wake);
    }
}

static void shutDown(void *unused)
{
    (void)unused;
    epicsMutexMustLock(driver.lock);
    driver.stopping = 1;
    epicsMutexUnlock(driver.lock);
    epicsEventMustTrigger(driver.wake);
    epicsThreadMustJoin(driver.mover);
    rest();
}

static void startUp(void *unused)
{
    epicsThreadOpts opts = EPICS_THREAD_OPTS_INIT;

    (void)unused;
    opts.priority = epicsThreadPriorityMedium;
    opts.stackSize = epicsThreadStackSmall;
    opts.joinable = 1;
    driver.lock = epicsMutexMustCreate();
    driver.wake = epicsEventMustCreate(epicsEventEmpty);
    driver.mover = epicsThreadCreateOpt("simstage", mover, NULL, &opts);
    if (!driver.mover)
        cantProceed("simstage: cannot start the thread that moves the stages\n");
    epicsAtExit(shutDown, NULL);
}

/* Call with the lock held. */
static simstage *find(const char *port)
{
    simstage *s;

    for (s = driver.stages; s; s = s->next)
        if (strcmp(s->port, port) == 0)
            return s;
    return NULL;
}

simstage *simstageFind(const char *port)
{
    simstage *s;

    epicsThreadOnce(&once, startUp, NULL);
    epicsMutexMustLock(driver.lock);
    s = find(port);
    epicsMutexUnlock(driver.lock);
    return s;
}

simstage *simstageCreate(const char *port, double velocity, double low, double high,
                         const char **why)
{
    simMotion motion;
    simstage *s = NULL;

    if (simMotionInit(&motion, velocity, low, high) != simMotionOk) {
        *why = "velocity must be above 0 and lowLimit below highLimit";
        return NULL;
    }
    epicsThreadOnce(&once, startUp, NULL);
    epicsMutexMustLock(driver.lock);
    if (find(port)) {
        *why = "there is a stage of this name already";
    } else {
        s = callocMustSucceed(1, sizeof *s, "simstageCreate");
        s->port = epicsStrDup(port);
        s->motion = motion;
        s->seen = epicsMonotonicGet();
        scanIoInit(&s->readings);
        s->next = driver.stages;
        driver.stages = s;
    }
    epicsMutexUnlock(driver.lock);
    return s;
}

IOSCANPVT simstageReadings(simstage *s)
{
    return s->readings;
}

void simstageOnSetpoint(simstage *s, void (*changed)(void *arg), void *arg)
{
    listener *l = callocMustSucceed(1, sizeof *l, "simstageOnSetpoint");

    l->changed = changed;
    l->arg = arg;
    epicsMutexMustLock(driver.lock);
    l->next = s->listeners;
    s->listeners = l;
    epicsMutexUnlock(driver.lock);
}

void simstageOnRest(void (*rested)(void))
{
    epicsThreadOnce(&once, startUp, NULL);
    epicsMutexMustLock(driver.lock);
    driver.rested = rested;
    epicsMutexUnlock(driver.lock);
}

void simstageEach(void (*visit)(const char *port, double position, void *arg), void *arg)
{
    simstage *s;

    epicsThreadOnce(&once, startUp, NULL);
    epicsMutexMustLock(driver.lock);
    for (s = driver.stages; s; s = s->next) {
        catchUp(s);
        visit(s->port, s->motion.position, arg);
    }
    epicsMutexUnlock(driver.lock);
}

static double get(const simMotion *m, simstageField field)
{
    switch (field) {
    case simstageVAL:  return m->target;
    case simstageRBV:  return m->position;
    case simstageVELO: return m->velocity;
    case simstageHLM:  return m->high;
    case simstageLLM:  return m->low;
    case simstageMOVN: return simMotionMoving(m);
    case simstageDMOV: return !simMotionMoving(m);
    case simstageLVIO: return m->refused;
    case simstageSTOP:
    case simstageHOME: break;
    }
    return 0;
}

double simstageGet(simstage *s, simstageField field)
{
    double value;

    epicsMutexMustLock(driver.lock);
    catchUp(s);
    value = get(&s->motion, field);
    epicsMutexUnlock(driver.lock);
    return value;
}

static simMotionStatus put(simMotion *m, simstageField field, double value)
{
    switch (field) {
    case simstageVAL:  return simMotionTo(m, value);
    case simstageVELO: return simMotionSetVelocity(m, value);
    case simstageHLM:  return simMotionSetHigh(m, value);
    case simstageLLM:  return simMotionSetLow(m, value);
    case simstageHOME: return simMotionTo(m, 0);
    case simstageSTOP:
        simMotionStop(m);
        return simMotionOk;
    case simstageRBV:
    case simstageMOVN:
    case simstageDMOV:
    case simstageLVIO: break;
    }
    return simMotionBad;
}

simMotionStatus simstagePut(simstage *s, simstageField field, double value)
{
    simMotionStatus outcome;
    double target;
    listener *l;

    epicsMutexMustLock(driver.lock);
    catchUp(s);
    target = s->motion.target;
    outcome = put(&s->motion, field, value);
    s->news = 1;
    /* After STOP the setpoint record shows where the stage stopped, even if
     * what it shows now is a setpoint that was refused. */
    if (field == simstageSTOP || (field != simstageVAL && s->motion.target != target))
        for (l = s->listeners; l; l = l->next)
            l->changed(l->arg);
    epicsMutexUnlock(driver.lock);
    epicsEventMustTrigger(driver.wake);
    return outcome;
}

simMotionStatus simstageRestore(simstage *s, simstageField field, double value)
{
    simMotionStatus outcome = simMotionOk;
    simMotion *m = &s->motion;

    if (!isfinite(value))
        return simMotionBad;
    epicsMutexMustLock(driver.lock);
    switch (field) {
    case simstageVAL: m->position = m->target = value; break;
    case simstageHLM: m->high = value; break;
    case simstageLLM: m->low = value; break;
    default:          outcome = put(m, field, value);
    }
    epicsMutexUnlock(driver.lock);
    return outcome;
}

void simstageReport(int level)
{
    simstage *s;

    epicsThreadOnce(&once, startUp, NULL);
    epicsMutexMustLock(driver.lock);
    for (s = driver.stages; s; s = s->next) {
        catchUp(s);
        printf("%s: %s at %g, setpoint %g, velocity %g\n", s->port,
               simMotionMoving(&s->motion) ? "moving" : "at rest",
               s->motion.position, s->motion.target, s->motion.velocity);
        if (level > 0)
            printf("    soft limits %g to %g%s\n", s->motion.low, s->motion.high,
                   s->motion.refused ? ", latest setpoint refused" : "");
    }
    epicsMutexUnlock(driver.lock);
}

static long report(int level)
{
    simstageReport(level);
    return 0;
}

static drvet drvSimstage = {2, report, NULL};
epicsExportAddress(drvet, drvSimstage);
