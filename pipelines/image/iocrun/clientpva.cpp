#include "client.h"

#if __has_include(<pva/client.h>)

#include "ownhost.h"

#include <pv/createRequest.h>
#include <pva/client.h>

namespace {

namespace pvd = epics::pvData;

struct Channel : pvac::ClientChannel::GetCallback, pvac::ClientChannel::MonitorCallback {
    class PVAClient *client;
    pvac::ClientChannel channel;
    pvac::Operation question;
    pvac::Monitor monitor;
    bool served, updated, asked;
    Reading last;

    void getDone(const pvac::GetEvent &event) override;
    void monitorEvent(const pvac::MonitorEvent &event) override;
};

class PVAClient : public CountingClient {
public:
    PVAClient();
    ~PVAClient() override;
    void open(const std::set<std::string> &pvs) override;
    std::map<std::string, Reading> read(double seconds) override;
    std::string write(const std::string &pv, const std::string &value) override;

private:
    pvac::ClientProvider provider;
    std::map<std::string, std::unique_ptr<Channel>> channels;
};

std::string scalar(const pvd::PVScalar &value)
{
    pvd::ScalarType type = value.getScalar()->getScalarType();
    if (type == pvd::pvString || type == pvd::pvBoolean)
        return value.getAs<std::string>();
    return plainNumber(value.getAs<double>(), type == pvd::pvFloat);
}

std::string array(const pvd::PVScalarArray &value)
{
    pvd::shared_vector<const std::string> texts;
    value.getAs<std::string>(texts);
    std::string list;
    for (size_t i = 0; i < texts.size(); i++)
        list += (i ? "," : "") + texts[i];
    return "[" + list + "]";
}

// Reads a normative type: its value, and the alarm and units where it has them.
Reading reading(const pvd::PVStructure &all)
{
    Reading now = {};
    pvd::PVField::const_shared_pointer value = all.getSubField("value");
    if (const pvd::PVScalar *one = dynamic_cast<const pvd::PVScalar *>(value.get())) {
        now.value = scalar(*one);
        now.type = pvd::ScalarTypeFunc::name(one->getScalar()->getScalarType());
    } else if (const pvd::PVScalarArray *many = dynamic_cast<const pvd::PVScalarArray *>(value.get())) {
        now.value = array(*many);
        now.type = std::string(pvd::ScalarTypeFunc::name(many->getScalarArray()->getElementType())) + "[]";
    } else if (all.getSubField<pvd::PVInt>("value.index")) {
        now.type = "enum";
        pvd::int32 index = all.getSubField<pvd::PVInt>("value.index")->get();
        pvd::PVStringArray::const_shared_pointer choices = all.getSubField<pvd::PVStringArray>("value.choices");
        bool named = choices && index >= 0 && size_t(index) < choices->view().size();
        now.value = named ? choices->view()[size_t(index)] : plainNumber(index);
    }
    if (pvd::PVInt::const_shared_pointer severity = all.getSubField<pvd::PVInt>("alarm.severity"))
        now.severity = severityName(severity->get());
    if (pvd::PVString::const_shared_pointer units = all.getSubField<pvd::PVString>("display.units"))
        now.units = units->get();
    return now;
}

void Channel::getDone(const pvac::GetEvent &event)
{
    std::lock_guard<std::mutex> guard(client->mutex);
    if (asked)
        client->waiting--;
    asked = false;
    if (event.event == pvac::GetEvent::Success && event.value) {
        unsigned updates = last.updates;
        last = reading(*event.value);
        last.updates = updates;
        served = true;
    }
    client->answered.notify_all();
}

void Channel::monitorEvent(const pvac::MonitorEvent &event)
{
    if (event.event != pvac::MonitorEvent::Data)
        return;
    while (monitor.poll()) {
        std::lock_guard<std::mutex> guard(client->mutex);
        if (updated)
            last.updates++;
        updated = true;
    }
}

PVAClient::PVAClient() : provider("pva", ownHost()) {}

PVAClient::~PVAClient()
{
    for (auto &entry : channels) {
        entry.second->question.cancel();
        entry.second->monitor.cancel();
    }
}

void PVAClient::open(const std::set<std::string> &pvs)
{
    for (const std::string &pv : pvs) {
        std::unique_ptr<Channel> &channel = channels[pv];
        if (channel)
            continue;
        channel.reset(new Channel());
        channel->client = this;
        channel->channel = provider.connect(pv);
        channel->monitor = channel->channel.monitor(channel.get(), pvd::createRequest("field(value)"));
    }
}

std::map<std::string, Reading> PVAClient::read(double seconds)
{
    for (auto &entry : channels) {
        {
            std::lock_guard<std::mutex> guard(mutex);
            if (entry.second->asked)
                continue; // of the time before
            entry.second->asked = true;
            waiting++;
        }
        entry.second->question = entry.second->channel.get(entry.second.get());
    }
    return collect(channels, seconds);
}

std::string PVAClient::write(const std::string &pv, const std::string &value)
{
    try {
        pvac::ClientChannel &channel = channels[pv]->channel;
        pvd::PVStructure::const_shared_pointer now = channel.get(10);
        pvd::PVStringArray::const_shared_pointer choices = now->getSubField<pvd::PVStringArray>("value.choices");
        if (!choices) {
            channel.put().set("value", value).exec(10);
            return "";
        }
        for (size_t i = 0; i < choices->view().size(); i++) {
            if (choices->view()[i] == value || std::to_string(i) == value) {
                channel.put().set("value.index", pvd::int32(i)).exec(10);
                return "";
            }
        }
        return "cannot be written: it has no choice " + value;
    } catch (std::exception &e) {
        return std::string("cannot be written: ") + e.what();
    }
}

} // namespace

std::unique_ptr<Client> clientOfPVA()
{
    return std::unique_ptr<Client>(new PVAClient());
}

#else

std::unique_ptr<Client> clientOfPVA()
{
    return nullptr;
}

#endif
