/*
 * The image that a camera serves: an NTNDArray of 8-bit mono over pvAccess. For
 * each client as many frames may wait as its request has a queueSize.
 */
#ifndef INC_simcamera_image_H
#define INC_simcamera_image_H

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <epicsTypes.h>
#include <pv/pvData.h>
#include <pv/pvDatabase.h>

/* The part of the sensor that is read out, in pixels. */
struct Region {
    int x, y, width, height;

    std::size_t pixels() const { return std::size_t(width) * height; }
};

/* What the sensor sees: a ramp that wanders by a pixel a frame. An exposure of
 * fullExposure seconds uses all 256 values; a longer one saturates. */
class Scene {
public:
    static constexpr double fullExposure = 0.01;

    Scene(int sensorWidth, double exposure);

    void expose(double seconds);
    void draw(epicsUInt8 *pixels, const Region &region, epicsUInt64 frame) const;

private:
    std::vector<epicsUInt8> ramp; /* one row of the sensor, and a period more */
};

/* The PV. Everything but the constructor is for one thread. */
class Image {
public:
    /* Throws std::invalid_argument when there is a PV of this name. */
    Image(const std::string &pv, const std::string &descriptor, int sensorWidth, int sensorHeight);

    /* Serves a frame; number is its uniqueId. It returns the mean of its pixels. */
    double post(const Scene &scene, const Region &region, epicsUInt64 number);

    const std::string name;

private:
    void describe(const Region &region);

    const int sensorWidth, sensorHeight;
    Region described = {0, 0, 0, 0};
    epics::pvData::PVStructurePtr frame;
    epics::pvDatabase::PVRecordPtr record; /* that serves it */
};

#endif
