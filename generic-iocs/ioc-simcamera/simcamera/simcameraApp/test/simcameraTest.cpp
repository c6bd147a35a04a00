/* Records of a camera in a running IOC, and its image over pvAccess. */
#define USE_TYPED_RSET

#include <alarm.h>
#include <dbAccess.h>
#include <dbUnitTest.h>
#include <epicsThread.h>
#include <iocsh.h>
#include <pv/clientFactory.h>
#include <pv/pvData.h>
#include <pva/client.h>
#include <testMain.h>

#include "camera.h"

namespace pvd = epics::pvData;

extern "C" int simcameraTest_registerRecordDeviceDriver(struct dbBase *);

/* Waits until a PV's value lies between two; a camera takes its time. */
static void becomes(const char *pv, double low, double high)
{
    DBADDR addr;
    double now = 0;
    if (dbNameToAddr(pv, &addr))
        testAbort("no PV %s", pv);
    for (int polls = 500; polls; polls--) {
        long one = 1;
        dbGetField(&addr, DBR_DOUBLE, &now, nullptr, &one, nullptr);
        if (now >= low && now <= high)
            break;
        epicsThreadSleep(0.02);
    }
    testOk(now >= low && now <= high, "%s becomes %g to %g: %g", pv, low, high, now);
}

static void countsToItsEnd()
{
    becomes("T:VIEW:CONNECTED", 1, 1);
    testdbPutFieldOk("T:COUNT", DBR_DOUBLE, 5.0);
    testdbPutFieldOk("T:START", DBR_SHORT, 1);
    becomes("T:ACQUIRING", 0, 0);
    becomes("T:FRAMES", 5, 5);
    becomes("T:VIEW:RECEIVED", 5, 5);
    testdbPutFieldOk("T:COUNT", DBR_DOUBLE, 0.0);
}

static void runsUntilStopped()
{
    testdbPutFieldOk("T:START", DBR_SHORT, 1);
    becomes("T:ACQUIRING", 1, 1);
    becomes("T:RATE", 40, 60);
    testdbPutFieldOk("T:PERIOD", DBR_DOUBLE, 0.1);
    becomes("T:RATE", 8, 12);
    testdbPutFieldOk("T:PERIOD", DBR_DOUBLE, 0.02);
    testdbPutFieldOk("T:EXPOSURE", DBR_DOUBLE, 0.2);
    becomes("T:RATE", 4, 6);
    testdbPutFieldOk("T:STOP", DBR_SHORT, 1);
    becomes("T:ACQUIRING", 0, 0);
    becomes("T:RATE", 0, 0);
    becomes("T:VIEW:MISSED", 0, 0);
}

static void refuses(const char *pv, double value, double kept)
{
    testdbPutFieldOk(pv, DBR_DOUBLE, value);
    const std::string name = pv;
    testdbGetFieldEqual((name + ".STAT").c_str(), DBR_SHORT, WRITE_ALARM);
    testdbPutFieldOk(pv, DBR_DOUBLE, kept);
    testdbGetFieldEqual((name + ".SEVR").c_str(), DBR_SHORT, NO_ALARM);
}

static void refusesNonsense()
{
    refuses("T:EXPOSURE", 0, 0.01);
    refuses("T:PERIOD", -1, 0.02);
    refuses("T:WIDTH", 65, 64);
    refuses("T:WIDTH", 0, 64);
    refuses("T:X", 1, 0);
    refuses("T:HEIGHT", 1.5, 48);
    refuses("T:COUNT", -1, 0);
}

/* The image as a client sees it, with a region of the sensor. */
static void servesItsImage()
{
    testdbPutFieldOk("T:WIDTH", DBR_DOUBLE, 10.0);
    testdbPutFieldOk("T:X", DBR_DOUBLE, 20.0);
    testdbPutFieldOk("T:COUNT", DBR_DOUBLE, 3.0);
    testdbPutFieldOk("T:START", DBR_SHORT, 1);
    becomes("T:VIEW:RECEIVED", 3, 3);

    epics::pvAccess::ClientFactory::start();
    pvac::ClientProvider client("pva");
    auto frame = client.connect("T:IMAGE").get(10);
    testOk1(frame->getStructure()->getID() == "epics:nt/NTNDArray:1.0");
    testOk1(frame->getSubFieldT<pvd::PVInt>("uniqueId")->get() == 3);
    auto pixels = frame->getSubFieldT<pvd::PVUnion>("value")->get<pvd::PVUByteArray>()->view();
    testOk(pixels.size() == 10 * 48, "%u pixels", unsigned(pixels.size()));
    testOk(pixels[0] == 23 && pixels[10] == 24, "the region of frame 3: %d, %d", pixels[0], pixels[10]);
    auto dimension = frame->getSubFieldT<pvd::PVStructureArray>("dimension")->view();
    testOk1(dimension.size() == 2);
    testOk1(dimension[0]->getSubFieldT<pvd::PVInt>("size")->get() == 10);
    testOk1(dimension[0]->getSubFieldT<pvd::PVInt>("offset")->get() == 20);
    testOk1(dimension[1]->getSubFieldT<pvd::PVInt>("fullSize")->get() == 48);
}

static void takesWhatRecordsHad()
{
    testdbGetFieldEqual("R:EXPOSURE", DBR_DOUBLE, 0.5);
    testOk1(Camera::find("R")->get(Field::EXPOSURE) == 0.5);
}

static void disablesBadAddresses()
{
    testdbGetFieldEqual("BAD:CAMERA.PACT", DBR_SHORT, 1);
    testdbGetFieldEqual("BAD:FIELD.PACT", DBR_SHORT, 1);
    testdbGetFieldEqual("BAD:TYPE.PACT", DBR_SHORT, 1);
}

static void commandsRefuse()
{
    testOk1(iocshCmd("simcameraConfig(\"T\", \"T2:IMAGE\", 10, 10)") != 0);
    testOk1(iocshCmd("simcameraConfig(\"\", \"A:IMAGE\", 10, 10)") != 0);
    testOk1(iocshCmd("simcameraConfig(\"A\", \"a b\", 10, 10)") != 0);
    testOk1(iocshCmd("simcameraConfig(\"A\", \"A:IMAGE\", 0, 10)") != 0);
    testOk(iocshCmd("simcameraConfig(\"A\", \"T:IMAGE\", 10, 10)") != 0, "the PV is another camera's");
    testOk1(iocshCmd("simcameraView(\"A\")") != 0);
    testOk1(Camera::find("A") == nullptr);
}

MAIN(simcameraTest)
{
    testPlan(0);
    testdbPrepare();
    testdbReadDatabase("simcameraTest.dbd", nullptr, nullptr);
    simcameraTest_registerRecordDeviceDriver(pdbbase);
    testOk1(iocshCmd("simcameraConfig(\"T\", \"T:IMAGE\", 64, 48)") == 0);
    testOk1(iocshCmd("simcameraConfig(\"R\", \"R:IMAGE\", 64, 48)") == 0);
    testOk1(iocshCmd("simcameraView(\"T\")") == 0);
    commandsRefuse();
    testdbReadDatabase("simcamera.template", "../../Db", "P=,M=T,PORT=T");
    testdbReadDatabase("simcameraView.template", "../../Db", "P=,M=T,PORT=T");
    testdbReadDatabase("simcameraTest.db", "..", nullptr);
    testIocInitOk();
    testOk(iocshCmd("simcameraConfig(\"LATE\", \"LATE:IMAGE\", 1, 1)") != 0, "refused after iocInit");
    countsToItsEnd();
    runsUntilStopped();
    refusesNonsense();
    servesItsImage();
    takesWhatRecordsHad();
    disablesBadAddresses();
    iocshCmd("simcameraReport 1");
    testIocShutdownOk();
    testdbCleanup();
    return testDone();
}
