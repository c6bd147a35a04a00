/* The arithmetic of a stage, second by second. */
#include <math.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "simMotion.h"

static void refusesBadStages(void)
{
    simMotion m;

    testOk1(simMotionInit(&m, 0, -1, 1) == simMotionBad);
    testOk1(simMotionInit(&m, -1, -1, 1) == simMotionBad);
    testOk1(simMotionInit(&m, NAN, -1, 1) == simMotionBad);
    testOk1(simMotionInit(&m, 1, 1, 1) == simMotionBad);
    testOk1(simMotionInit(&m, 1, -INFINITY, 1) == simMotionBad);
}

static void beginsInsideItsLimits(void)
{
    simMotion m;

    testOk1(simMotionInit(&m, 1, -1, 1) == simMotionOk && m.position == 0);
    testOk1(simMotionInit(&m, 1, 3, 9) == simMotionOk && m.position == 3);
    testOk1(simMotionInit(&m, 1, -9, -3) == simMotionOk && m.position == -3);
    testOk1(!simMotionMoving(&m));
}

static void movesAtItsVelocity(void)
{
    simMotion m;

    simMotionInit(&m, 2, -10, 10);
    testOk1(simMotionTo(&m, -10) == simMotionOk && simMotionMoving(&m));
    simMotionAdvance(&m, 1.5);
    testOk1(m.position == -3);
    testOk(simMotionTo(&m, 1) == simMotionOk, "a new setpoint on the way");
    simMotionAdvance(&m, 1);
    testOk1(m.position == -1 && simMotionMoving(&m));
    simMotionAdvance(&m, 100);
    testOk(m.position == 1 && !simMotionMoving(&m), "arrives exactly");
    testOk1(simMotionSetVelocity(&m, 0) == simMotionBad && m.velocity == 2);
    testOk1(simMotionSetVelocity(&m, 0.5) == simMotionOk && m.velocity == 0.5);
}

static void refusesSetpoints(void)
{
    simMotion m;

    simMotionInit(&m, 1, -10, 10);
    testOk1(simMotionTo(&m, 10.001) == simMotionLimit && m.refused);
    testOk1(!simMotionMoving(&m));
    testOk1(simMotionTo(&m, NAN) == simMotionBad && !simMotionMoving(&m));
    testOk(simMotionTo(&m, 10) == simMotionOk && !m.refused, "a limit itself is allowed");
    testOk1(simMotionTo(&m, -11) == simMotionLimit && m.refused);
    testOk(m.target == 10, "a refused setpoint leaves the one before");
    simMotionStop(&m);
    testOk1(!m.refused && !simMotionMoving(&m));
}

static void keepsItsLimits(void)
{
    simMotion m;

    simMotionInit(&m, 1, -10, 10);
    testOk1(simMotionSetLow(&m, 10) == simMotionBad && m.low == -10);
    testOk1(simMotionSetHigh(&m, INFINITY) == simMotionBad && m.high == 10);
    simMotionTo(&m, 8);
    simMotionAdvance(&m, 2);
    testOk1(simMotionSetHigh(&m, 9) == simMotionOk && simMotionMoving(&m));
    testOk1(simMotionSetHigh(&m, 5) == simMotionOk && !simMotionMoving(&m));
    testOk(m.position == 2, "stopped where it was");
}

MAIN(simMotionTest)
{
    testPlan(28);
    refusesBadStages();
    beginsInsideItsLimits();
    movesAtItsVelocity();
    refusesSetpoints();
    keepsItsLimits();
    return testDone();
}
