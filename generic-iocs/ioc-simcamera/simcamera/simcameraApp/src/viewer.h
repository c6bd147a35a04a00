/*
 * A pvAccess client of a camera's image, in the same IOC: it counts what comes
 * over the network as a viewer or a file writer would see it.
 */
#ifndef INC_simcamera_viewer_H
#define INC_simcamera_viewer_H

#include <string>

#include <epicsMutex.h>
#include <pva/client.h>

#include "rate.h"

class Viewer : private pvac::ClientChannel::MonitorCallback {
public:
    /* Subscribes to the image of this name; it may come later. */
    explicit Viewer(const std::string &pv);
    ~Viewer();

    double received() const; /* frames of the acquisition under way */
    double missed() const;   /* frames that were sent and never seen */
    double rate() const;     /* frames a second */

private:
    void monitorEvent(const pvac::MonitorEvent &event) override;
    void count(epicsInt32 id);

    mutable epicsMutex lock;
    epicsInt32 last = 0; /* uniqueId */
    long seen = 0, gaps = 0;
    Rate meter;
    pvac::ClientProvider client;
    pvac::ClientChannel channel;
    pvac::Monitor monitor;
};

#endif
