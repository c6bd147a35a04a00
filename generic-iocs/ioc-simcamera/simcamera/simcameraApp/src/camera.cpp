#include <cmath>
#include <cstdio>
#include <stdexcept>

#include <epicsGuard.h>
#include <epicsStdio.h>
#include <epicsTime.h>

#include "camera.h"

typedef epicsGuard<epicsMutex> Guard;

namespace {

std::vector<Camera *> cameras; /* changed by the start-up script alone */

bool whole(double value)
{
    return value >= 0 && value <= 1e9 && value == std::floor(value);
}

} // namespace

void Camera::create(const std::string &name, const std::string &pv, int width, int height)
{
    if (find(name))
        throw std::invalid_argument("there is a camera of this name already");
    if (width < 1 || height < 1 || width > 32768 || height > 32768)
        throw std::invalid_argument("width and height must be 1 to 32768 pixels");
    if (cameras.empty())
        initHookRegister(stopAll);
    cameras.push_back(new Camera(name, pv, width, height));
}

Camera *Camera::find(const std::string &name)
{
    for (Camera *c : cameras)
        if (c->name == name)
            return c;
    return nullptr;
}

const std::vector<Camera *> &Camera::all()
{
    return cameras;
}

Camera::Camera(const std::string &cameraName, const std::string &pv, int width, int height)
    : name(cameraName), sensorWidth(width), sensorHeight(height), region{0, 0, width, height},
      image(pv, "Simulated camera " + cameraName, width, height), scene(width, exposure),
      thread(*this, cameraName.c_str(), epicsThreadGetStackSize(epicsThreadStackMedium), epicsThreadPriorityHigh)
{
    scanIoInit(&scan);
    thread.start();
}

void Camera::view()
{
    viewer.reset(new Viewer(image.name, scan));
}

/* Ends the threads before the scan lists and servers that they use go. */
void Camera::stopAll(initHookState state)
{
    if (state != initHookAtShutdown)
        return;
    for (Camera *c : cameras)
        c->stop();
}

void Camera::stop()
{
    {
        Guard guard(lock);
        stopping = true;
    }
    wake.signal();
    thread.exitWait();
    std::unique_ptr<Viewer> last; /* records still read it, with the lock */
    Guard guard(lock);
    last.swap(viewer);
}

/* From one frame to the next, in nanoseconds: a frame can't be shorter than its
 * exposure. Call with the lock held. */
epicsUInt64 Camera::interval() const
{
    return epicsUInt64(std::fmax(period, exposure) * Rate::second);
}

void Camera::run()
{
    epicsUInt64 due = 0;
    while (take(due)) {
        epicsUInt64 now = epicsMonotonicGet();
        if (due == 0)
            wake.wait();
        else if (due > now)
            wake.wait(Rate::seconds(due - now));
    }
}

/* Takes a frame if one is due, and sets when the next one is: 0 when none is to
 * be taken. It reports whether the camera goes on. */
bool Camera::take(epicsUInt64 &due)
{
    Region now;
    epicsUInt64 frame, time = epicsMonotonicGet();
    {
        Guard guard(lock);
        if (stopping || !acquiring) {
            due = 0;
            return !stopping;
        }
        if (due == 0 || number == 0)
            due = time; /* the first frame is taken at once */
        if (time < due)
            return true;
        /* The sensor keeps frames for two seconds, for a computer that is busy. */
        epicsUInt64 late = time - due;
        epicsUInt64 lost = late > 2 * Rate::second ? (late - 2 * Rate::second) / interval() : 0;
        dropped += lost;
        number += lost + 1;
        due += (lost + 1) * interval();
        meter.tick(time);
        if (exposed)
            scene.expose(exposure);
        exposed = false;
        now = region;
        frame = number;
    }
    double seen = image.post(scene, now, frame);
    Guard guard(lock);
    mean = seen;
    if (wanted && number >= wanted)
        acquiring = false;
    announce(time, !acquiring);
    return true;
}

/* Lets records read what is new, ten times a second. Call with the lock held. */
void Camera::announce(epicsUInt64 now, bool always)
{
    if (!always && now - announced < Rate::second / 10)
        return;
    announced = now;
    scanIoRequest(scan);
}

double Camera::get(Field field) const
{
    Guard guard(lock);
    switch (field) {
    case Field::EXPOSURE: return exposure;
    case Field::PERIOD: return period;
    case Field::X: return region.x;
    case Field::Y: return region.y;
    case Field::WIDTH: return region.width;
    case Field::HEIGHT: return region.height;
    case Field::COUNT: return double(wanted);
    case Field::FRAMES: return double(number - dropped);
    case Field::DROPPED: return double(dropped);
    case Field::RATE: return acquiring ? meter.perSecond(epicsMonotonicGet()) : 0;
    case Field::MEAN: return mean;
    case Field::ACQUIRING: return acquiring;
    case Field::RECEIVED: return viewer ? viewer->received() : 0;
    case Field::MISSED: return viewer ? viewer->missed() : 0;
    case Field::SHOWN: return viewer ? viewer->rate() : 0;
    case Field::CONNECTED: return viewer && viewer->connected();
    case Field::START:
    case Field::STOP: break;
    }
    return 0;
}

bool Camera::set(double &setting, double seconds)
{
    if (!(seconds >= shortest && seconds <= 3600))
        return false;
    setting = seconds;
    exposed = true;
    return true;
}

bool Camera::set(Region r)
{
    if (r.width < 1 || r.height < 1 || r.x + r.width > sensorWidth || r.y + r.height > sensorHeight)
        return false;
    region = r;
    return true;
}

bool Camera::put(Field field, double value)
{
    bool taken = true;
    {
        Guard guard(lock);
        Region r = region;
        bool pixels = whole(value) && value <= 32768;
        switch (field) {
        case Field::EXPOSURE: taken = set(exposure, value); break;
        case Field::PERIOD: taken = set(period, value); break;
        case Field::X: r.x = int(value); taken = pixels && set(r); break;
        case Field::Y: r.y = int(value); taken = pixels && set(r); break;
        case Field::WIDTH: r.width = int(value); taken = pixels && set(r); break;
        case Field::HEIGHT: r.height = int(value); taken = pixels && set(r); break;
        case Field::COUNT:
            taken = whole(value);
            if (taken)
                wanted = epicsUInt64(value);
            break;
        case Field::START:
            number = dropped = 0;
            meter.reset();
            acquiring = true;
            break;
        case Field::STOP: acquiring = false; break;
        default: taken = false;
        }
        announce(epicsMonotonicGet(), true);
    }
    wake.signal();
    return taken;
}

void Camera::report(int level) const
{
    std::printf("%s: %s, %.0f frames, %.0f dropped, image %s\n", name.c_str(),
                get(Field::ACQUIRING) ? "acquiring" : "idle", get(Field::FRAMES), get(Field::DROPPED),
                image.name.c_str());
    if (level > 0)
        std::printf("    sensor %d x %d, exposure %g s, period %g s%s\n", sensorWidth, sensorHeight,
                    get(Field::EXPOSURE), get(Field::PERIOD), viewer ? ", with a viewer" : "");
}
