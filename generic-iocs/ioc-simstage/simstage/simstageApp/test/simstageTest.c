/* Records of a stage in a running IOC. */
#define USE_TYPED_RSET

#include <stdio.h>
#include <string.h>

#include <alarm.h>
#include <dbAccess.h>
#include <dbUnitTest.h>
#include <epicsThread.h>
#include <errlog.h>
#include <iocsh.h>
#include <testMain.h>

#include "drvSimstage.h"

void simstageTest_registerRecordDeviceDriver(struct dbBase *);

/* Waits until a double PV has this value; a stage takes its time. */
static void becomes(const char *pv, double value)
{
    int polls = 500;
    DBADDR addr;
    double now = 0;
    long one = 1;

    if (dbNameToAddr(pv, &addr))
        testAbort("no PV %s", pv);
    do {
        epicsThreadSleep(0.02);
        one = 1;
        dbGetField(&addr, DBR_DOUBLE, &now, NULL, &one, NULL);
    } while (now != value && --polls);
    testOk(now == value, "%s becomes %g: %g", pv, value, now);
}

static void moves(void)
{
    testdbGetFieldEqual("VAL.SEVR", DBR_SHORT, NO_ALARM);
    testdbPutFieldOk("VAL", DBR_DOUBLE, 5.0);
    becomes("RBV", 5);
    becomes("DMOV", 1);
}

static void refusesLimits(void)
{
    testdbPutFieldOk("VAL", DBR_DOUBLE, 500.0);
    testdbGetFieldEqual("VAL.STAT", DBR_SHORT, HW_LIMIT_ALARM);
    testdbGetFieldEqual("VAL.SEVR", DBR_SHORT, MAJOR_ALARM);
    becomes("LVIO", 1);
    becomes("RBV", 5);
    testdbPutFieldOk("STOP", DBR_SHORT, 1);
    becomes("VAL", 5); /* the setpoint that is in force is shown again */
    becomes("LVIO", 0);
    testdbGetFieldEqual("VAL.SEVR", DBR_SHORT, NO_ALARM);
}

static void refusesNonsense(void)
{
    testdbPutFieldOk("VELO", DBR_DOUBLE, -1.0);
    testdbGetFieldEqual("VELO.STAT", DBR_SHORT, WRITE_ALARM);
    testdbPutFieldOk("VELO", DBR_DOUBLE, 1.0);
    testdbGetFieldEqual("VELO.SEVR", DBR_SHORT, NO_ALARM);
    testdbPutFieldOk("HLM", DBR_DOUBLE, -100.0);
    testdbGetFieldEqual("HLM.STAT", DBR_SHORT, WRITE_ALARM);
}

static void stops(void)
{
    testdbPutFieldOk("VAL", DBR_DOUBLE, 90.0);
    becomes("DMOV", 0);
    testdbPutFieldOk("STOP", DBR_SHORT, 1);
    becomes("DMOV", 1);
    testOk1(simstageGet(simstageFind("T"), simstageVAL) < 90);
}

static void goesHome(void)
{
    testdbPutFieldOk("VELO", DBR_DOUBLE, 1000.0);
    testdbPutFieldOk("HOME", DBR_SHORT, 1);
    becomes("RBV", 0);
    becomes("VAL", 0);
}

static void restores(void)
{
    testdbGetFieldEqual("R:RBV", DBR_DOUBLE, 250.0);
    testdbGetFieldEqual("R:LLM", DBR_DOUBLE, 200.0);
    testdbGetFieldEqual("R:HLM", DBR_DOUBLE, 300.0);
    testdbPutFieldOk("R:VAL", DBR_DOUBLE, 199.0);
    testdbGetFieldEqual("R:VAL.STAT", DBR_SHORT, HW_LIMIT_ALARM);
}

static void disablesBadAddresses(void)
{
    testdbGetFieldEqual("BAD:STAGE.PACT", DBR_SHORT, 1);
    testdbGetFieldEqual("BAD:FIELD.PACT", DBR_SHORT, 1);
    testdbGetFieldEqual("BAD:TYPE.PACT", DBR_SHORT, 1);
    testdbGetFieldEqual("BAD:WORDS.PACT", DBR_SHORT, 1);
    testdbGetFieldEqual("BAD:EMPTY.PACT", DBR_SHORT, 1);
}

static void commandsRefuse(void)
{
    testOk1(iocshCmd("simstageConfig(\"T\", 1, 0, 1)") != 0);
    testOk1(iocshCmd("simstageConfig(\"\", 1, 0, 1)") != 0);
    testOk1(iocshCmd("simstageConfig(\"a b\", 1, 0, 1)") != 0);
    testOk1(iocshCmd("simstageConfig(\"A\")") != 0);
    testOk1(iocshCmd("simstageConfig(\"A\", fast, 0, 1)") != 0);
    testOk1(iocshCmd("simstageConfig(\"A\", 1, 1, 0)") != 0);
    testOk1(simstageFind("A") == NULL);
}

/* The text of the file that the stages are kept in. */
static const char *keptText(void)
{
    static char text[200];
    FILE *f = fopen("stages.kept", "r");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;

    if (f)
        fclose(f);
    text[n] = 0;
    return text;
}

/* Before the IOC runs: K stands where the file says, G is not of this IOC. */
static void keeps(void)
{
    FILE *f = fopen("stages.kept", "w");

    if (!f)
        testAbort("cannot write stages.kept");
    fputs("K 42.5\nG 7\n", f);
    fclose(f);
    testOk1(iocshCmd("simstageConfig(\"K\", 1000, -100, 100)") == 0);
    testOk1(iocshCmd("simstageKeep(\"\")") != 0);
    testOk1(iocshCmd("simstageKeep(\"stages.kept\")") == 0);
    testOk1(iocshCmd("simstageKeep(\"stages.kept\")") != 0);
    testOk1(simstageGet(simstageFind("K"), simstageRBV) == 42.5);
}

/* Once the stages rest, the file says where. */
static void keepsWhereTheyRest(void)
{
    simstage *k = simstageFind("K");
    int polls = 500;

    testOk1(simstagePut(k, simstageVAL, 12.25) == simMotionOk);
    while (!strstr(keptText(), "K 12.25\n") && --polls)
        epicsThreadSleep(0.02);
    testOk(polls > 0, "kept: %s", keptText());
    testOk1(strstr(keptText(), "G ") == NULL);
}

MAIN(simstageTest)
{
    testPlan(0);
    testdbPrepare();
    testdbReadDatabase("simstageTest.dbd", NULL, NULL);
    simstageTest_registerRecordDeviceDriver(pdbbase);
    testOk1(iocshCmd("simstageConfig(\"T\", 1000, -100, 100)") == 0);
    testOk1(iocshCmd("simstageConfig(\"R\", 1, 0, 10)") == 0);
    commandsRefuse();
    keeps();
    testdbReadDatabase("simstageTest.db", NULL, NULL);
    testIocInitOk();
    testOk(iocshCmd("simstageConfig(\"LATE\", 1, 0, 1)") != 0, "refused after iocInit");
    moves();
    refusesLimits();
    refusesNonsense();
    stops();
    goesHome();
    restores();
    disablesBadAddresses();
    keepsWhereTheyRest();
    iocshCmd("simstageReport 1");
    testIocShutdownOk();
    testdbCleanup();
    return testDone();
}
