#include <cstdlib>

#include <epicsGuard.h>
#include <epicsTime.h>
#include <pv/clientFactory.h>
#include <pv/createRequest.h>

#include "viewer.h"

namespace pvd = epics::pvData;
namespace pva = epics::pvAccess;
typedef epicsGuard<epicsMutex> Guard;

Viewer::Viewer(const std::string &pv, IOSCANPVT readings)
    : scan(readings)
{
    pva::ClientFactory::start();
    /* As any client of the host: a pvAccess server does not listen on the loopback. */
    client = pvac::ClientProvider("pva");
    channel = client.connect(pv);
    /* As many frames may wait as come in two seconds. */
    monitor = channel.monitor(this, pvd::createRequest("record[queueSize=100]field(value,uniqueId)"));
}

Viewer::~Viewer()
{
    monitor.cancel();
}

void Viewer::monitorEvent(const pvac::MonitorEvent &event)
{
    if (event.event == pvac::MonitorEvent::Disconnect)
        disconnect();
    if (event.event == pvac::MonitorEvent::Data)
        while (monitor.poll())
            count(monitor.root->getSubFieldT<pvd::PVInt>("uniqueId")->get());
    scanIoRequest(scan);
}

void Viewer::disconnect()
{
    Guard guard(lock);
    live = false;
}

void Viewer::count(epicsInt32 id)
{
    Guard guard(lock);
    if (!live) { /* what the camera had last; 0 when nothing was acquired yet */
        live = true;
        last = id;
        return;
    }
    if (id <= last) { /* another acquisition */
        seen = gaps = last = 0;
        meter.reset();
    }
    gaps += id - last - 1;
    seen++;
    last = id;
    meter.tick(epicsMonotonicGet());
}

bool Viewer::connected() const
{
    Guard guard(lock);
    return live;
}

double Viewer::received() const
{
    Guard guard(lock);
    return seen;
}

double Viewer::missed() const
{
    Guard guard(lock);
    return gaps;
}

double Viewer::rate() const
{
    Guard guard(lock);
    return meter.perSecond(epicsMonotonicGet());
}
