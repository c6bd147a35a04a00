/* What the sensor sees, and how frames are counted: no IOC is needed. */
#include <vector>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "image.h"
#include "rate.h"

static std::vector<epicsUInt8> drawn(const Scene &scene, const Region &region, epicsUInt64 frame)
{
    std::vector<epicsUInt8> pixels(region.pixels() + 1, 0xee);
    scene.draw(pixels.data(), region, frame);
    return pixels;
}

static void draws()
{
    Scene scene(16, Scene::fullExposure);
    auto all = drawn(scene, {0, 0, 16, 4}, 0);
    testOk(all[0] == 0 && all[15] == 15, "a row is a ramp: %d to %d", all[0], all[15]);
    testOk(all[16] == 1, "the next row is one further: %d", all[16]);
    testOk(all[64] == 0xee, "no pixel beyond the region is written");
    auto next = drawn(scene, {0, 0, 16, 4}, 1);
    testOk(next[0] == 1, "the next frame is one further: %d", next[0]);
    auto part = drawn(scene, {3, 2, 5, 2}, 0);
    testOk(part[0] == all[2 * 16 + 3] && part[5] == all[3 * 16 + 3], "a region shows its part of the sensor");
    testOk(part[10] == 0xee, "and no more");
    auto late = drawn(scene, {0, 0, 16, 1}, 256 * 1000000000ull);
    testOk(late[0] == 0, "a high frame number wraps");
}

static void exposes()
{
    Scene scene(256, Scene::fullExposure / 2);
    testOk(drawn(scene, {0, 0, 256, 1}, 0)[200] == 100, "half the exposure gives half the values");
    scene.expose(Scene::fullExposure * 10);
    testOk(drawn(scene, {0, 0, 256, 1}, 0)[200] == 255, "a long exposure saturates");
}

static void countsFrames()
{
    const epicsUInt64 start = 5 * Rate::second, step = Rate::second / 50;
    Rate rate;
    testOk(rate.perSecond(start) == 0, "no frame, no rate");
    for (int i = 0; i <= 100; i++)
        rate.tick(start + i * step);
    double seen = rate.perSecond(start + 100 * step);
    testOk(seen > 49.9 && seen < 50.1, "50 frames a second: %g", seen);
    testOk(rate.perSecond(start + 100 * step + 3 * Rate::second) == 0, "a rate ends with its frames");
}

MAIN(imageTest)
{
    testPlan(12);
    draws();
    exposes();
    countsFrames();
    return testDone();
}
