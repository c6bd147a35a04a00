/*
 * A pvAccess client of a camera's image, in the same IOC: it counts what comes
 * over the network as a viewer or a file writer would see it.
 */
#ifndef INC_simcamera_viewer_H
#define INC_simcamera_viewer_H

#include <string>

#include <dbScan.h>
#include <epicsMutex.h>
#include <pva/client.h>

#include "rate.h"

class Viewer : private pvac::ClientChannel::MonitorCallback {
public:
    /* Subscribes to the image of this name; it may come later. Records on scan
     * are processed when frames came. */
    Viewer(const std::string &pv, IOSCANPVT scan);
    ~Viewer();

    bool connected() const;
    double received() const; /* frames of the acquisition under way */
    double missed() const;   /* frames that were sent and never seen */
    double rate() const;     /* frames a second */

private:
    void monitorEvent(const pvac::MonitorEvent &event) override;
    void disconnect();
    void count(epicsInt32 id);

    mutable epicsMutex lock;
    const IOSCANPVT scan;
    bool live = false;   /* it is connected, and the first update has come */
    epicsInt32 last = 0; /* uniqueId */
    long seen = 0, gaps = 0;
    Rate meter;
    pvac::ClientProvider client;
    pvac::ClientChannel channel;
    pvac::Monitor monitor;
};

#endif
