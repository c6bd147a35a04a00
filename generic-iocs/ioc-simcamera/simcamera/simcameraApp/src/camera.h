/*
 * The cameras of this IOC: each has a sensor, settings, and a thread that takes
 * frames in real time. Everything here may be called from any thread.
 */
#ifndef INC_simcamera_camera_H
#define INC_simcamera_camera_H

#include <memory>
#include <string>
#include <vector>

#include <dbScan.h>
#include <epicsEvent.h>
#include <epicsMutex.h>
#include <epicsThread.h>
#include <initHooks.h>

#include "image.h"
#include "rate.h"
#include "viewer.h"

/* What a record can read or write, by the names that stand in its address. */
enum class Field {
    EXPOSURE, PERIOD,        /* seconds */
    X, Y, WIDTH, HEIGHT,     /* region of the sensor, pixels */
    COUNT,                   /* frames of an acquisition; 0: until STOP */
    FRAMES, DROPPED,         /* taken, and due but not taken in time */
    RATE,                    /* frames a second */
    MEAN,                    /* of the latest frame's pixels */
    ACQUIRING,               /* 1 while frames are taken */
    START, STOP,             /* written: begin or end an acquisition */
    RECEIVED, MISSED, SHOWN, /* by the viewer: frames, frames, frames a second */
    CONNECTED,               /* 1 while the viewer is */
};

class Camera : private epicsThreadRunable {
public:
    static constexpr double shortest = 0.0001; /* exposure and period, seconds */

    /* Creates a camera that serves its image as the PV of that name. It throws
     * std::invalid_argument when the name is taken or the sensor is empty. */
    static void create(const std::string &name, const std::string &pv, int width, int height);

    /* The camera of this name, or null. */
    static Camera *find(const std::string &name);

    static const std::vector<Camera *> &all();

    double get(Field field) const;

    /* Reports whether the value was taken; a value that the field can't have
     * leaves it as it was. */
    bool put(Field field, double value);

    void view(); /* adds a viewer, before the IOC runs */

    void report(int level) const; /* on stdout */

    IOSCANPVT readings() const { return scan; }

    const std::string name;

private:
    Camera(const std::string &name, const std::string &pv, int width, int height);

    void run() override;
    static void stopAll(initHookState state);
    void stop();
    bool set(double &setting, double seconds);
    bool set(Region region);
    bool take(epicsUInt64 &due);
    epicsUInt64 interval() const;
    void announce(epicsUInt64 now, bool always);

    const int sensorWidth, sensorHeight;
    IOSCANPVT scan;
    mutable epicsMutex lock; /* of all below but image and scene */
    epicsEvent wake;
    double exposure = Scene::fullExposure, period = 0.02;
    Region region;
    epicsUInt64 wanted = 0, number = 0, dropped = 0, announced = 0;
    double mean = 0;
    bool acquiring = false, exposed = true, stopping = false;
    Rate meter;
    Image image;
    Scene scene;
    std::unique_ptr<Viewer> viewer;
    epicsThread thread;
};

#endif
