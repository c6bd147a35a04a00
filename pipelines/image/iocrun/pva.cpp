#include "probe.h"

#if __has_include(<pva/client.h>)

#include "ownhost.h"

#include <mutex>
#include <sstream>

#include <pv/createRequest.h>
#include <pva/client.h>

namespace {

namespace pvd = epics::pvData;

/*
 * The channel has its server's address, so that nobody else answers. But a server
 * with several providers of PVs, such as a camera's image beside the records,
 * knows which of them has a PV only after a search for it: so that comes first.
 */
class PVAProbe : public Probe, private pvac::ClientChannel::GetCallback, private pvac::ClientChannel::ConnectCallback {
public:
    PVAProbe(const std::string &pv, const std::string &server);
    ~PVAProbe() override;
    void ask() override;
    Answers answers() override;

private:
    const std::string pv, server;
    std::mutex mutex;
    Answers seen;
    bool found, open; // the search has ended; a question is open
    std::string value;
    pvac::ClientProvider provider;
    pvac::ClientChannel searched, channel;
    pvac::Operation question;

    void connectEvent(const pvac::ConnectEvent &event) override;
    void getDone(const pvac::GetEvent &event) override;
};

PVAProbe::PVAProbe(const std::string &pv, const std::string &server)
    : pv(pv), server(server), seen(), found(false), open(false), provider("pva", ownHost()),
      searched(provider.connect(pv))
{
    searched.addConnectListener(this);
}

PVAProbe::~PVAProbe()
{
    searched.removeConnectListener(this);
    question.cancel();
}

void PVAProbe::ask()
{
    {
        std::lock_guard<std::mutex> guard(mutex);
        if (open || !found)
            return;
        open = true;
    }
    if (!channel) {
        pvac::ClientChannel::Options options;
        options.address = server;
        channel = provider.connect(pv, options);
    }
    question = channel.get(this, pvd::createRequest("field(value)"));
}

void PVAProbe::connectEvent(const pvac::ConnectEvent &event)
{
    std::lock_guard<std::mutex> guard(mutex);
    found = found || event.connected;
}

Answers PVAProbe::answers()
{
    std::lock_guard<std::mutex> guard(mutex);
    return seen;
}

void PVAProbe::getDone(const pvac::GetEvent &event)
{
    std::lock_guard<std::mutex> guard(mutex);
    open = false;
    if (event.event != pvac::GetEvent::Success)
        return;
    std::ostringstream now;
    if (event.value)
        now << *event.value;
    if (seen.count++ > 0 && now.str() != value)
        seen.changes++;
    value = now.str();
}

} // namespace

std::unique_ptr<Probe> askOverPVA(const std::string &pv, const std::string &server)
{
    return std::unique_ptr<Probe>(new PVAProbe(pv, server));
}

#else

std::unique_ptr<Probe> askOverPVA(const std::string &, const std::string &)
{
    return nullptr;
}

#endif
