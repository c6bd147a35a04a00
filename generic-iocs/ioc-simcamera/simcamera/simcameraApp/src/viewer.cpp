#include <cstdlib>

#include <epicsGuard.h>
#include <epicsTime.h>
#include <pv/clientFactory.h>
#include <pv/createRequest.h>

#include "viewer.h"

namespace pvd = epics::pvData;
namespace pva = epics::pvAccess;
typedef epicsGuard<epicsMutex> Guard;

Viewer::Viewer(const std::string &pv)
{
    pva::ClientFactory::start();
    /* As any client of the host: a pvAccess server does not listen on the loopback. */
    client = pvac::ClientProvider("pva");
    channel = client.connect(pv);
    /* As many frames may wait as come in a second. */
    monitor = channel.monitor(this, pvd::createRequest("record[queueSize=50]field(value,uniqueId)"));
}

Viewer::~Viewer()
{
    monitor.cancel();
}

void Viewer::monitorEvent(const pvac::MonitorEvent &event)
{
    if (event.event != pvac::MonitorEvent::Data)
        return;
    while (monitor.poll())
        count(monitor.root->getSubFieldT<pvd::PVInt>("uniqueId")->get());
}

void Viewer::count(epicsInt32 id)
{
    Guard guard(lock);
    if (id <= 0) /* nothing was acquired yet */
        return;
    if (id <= last) { /* another acquisition */
        seen = gaps = 0;
        last = id - 1;
        meter.reset();
    }
    gaps += last ? id - last - 1 : 0;
    seen++;
    last = id;
    meter.tick(epicsMonotonicGet());
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
