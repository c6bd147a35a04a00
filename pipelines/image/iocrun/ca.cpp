#include "probe.h"

#include "listeners.h"
#include "repeater.h"

#include <cstring>
#include <mutex>
#include <vector>

#include <cadef.h>

namespace {

class CAProbe : public Probe {
public:
    CAProbe(const std::string &pv, const std::string &server);
    ~CAProbe() override;
    void ask() override;
    Answers answers() override;

private:
    QuietRepeater repeater;
    chid channel;
    std::mutex mutex;
    Answers seen;
    bool open; // a question is
    std::vector<char> value;

    static void onException(exception_handler_args) {} // it would print it among the IOC's lines
    static void onConnection(connection_handler_args args);
    static void onValue(event_handler_args args);
};

CAProbe::CAProbe(const std::string &pv, const std::string &server) : channel(NULL), seen(), open(false)
{
    searchOnlyAt(server);
    ca_context_create(ca_enable_preemptive_callback);
    ca_add_exception_event(onException, NULL);
    ca_create_channel(pv.c_str(), onConnection, this, CA_PRIORITY_DEFAULT, &channel);
    ca_flush_io();
}

CAProbe::~CAProbe()
{
    ca_context_destroy();
}

void CAProbe::ask()
{
    repeater.confirm();
    {
        std::lock_guard<std::mutex> guard(mutex);
        if (open || !channel || ca_state(channel) != cs_conn)
            return;
        open = true;
    }
    if (ca_array_get_callback(ca_field_type(channel), 1, channel, onValue, this) != ECA_NORMAL) {
        std::lock_guard<std::mutex> guard(mutex);
        open = false;
    }
    ca_flush_io();
}

Answers CAProbe::answers()
{
    std::lock_guard<std::mutex> guard(mutex);
    return seen;
}

void CAProbe::onConnection(connection_handler_args args)
{
    CAProbe *probe = static_cast<CAProbe *>(ca_puser(args.chid));
    std::lock_guard<std::mutex> guard(probe->mutex);
    probe->open = false; // what was asked before is lost
}

void CAProbe::onValue(event_handler_args args)
{
    CAProbe *probe = static_cast<CAProbe *>(args.usr);
    std::lock_guard<std::mutex> guard(probe->mutex);
    probe->open = false;
    if (args.status != ECA_NORMAL || !args.dbr)
        return;
    const char *first = static_cast<const char *>(args.dbr);
    std::vector<char> now(first, first + dbr_size_n(args.type, args.count));
    if (probe->seen.count++ > 0 && now != probe->value)
        probe->seen.changes++;
    probe->value.swap(now);
}

} // namespace

std::unique_ptr<Probe> askOverCA(const std::string &pv, const std::string &server)
{
    return std::unique_ptr<Probe>(new CAProbe(pv, server));
}
