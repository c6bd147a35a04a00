#include "client.h"
#include "listeners.h"
#include "repeater.h"

#include <cstring>
#include <vector>

#include <alarm.h>
#include <cadef.h>

namespace {

struct Channel {
    class CAClient *client;
    chid id;
    bool served, updated, asked;
    Reading last;
};

class CAClient : public CountingClient {
public:
    explicit CAClient(const std::string &server);
    ~CAClient() override;
    void open(const std::set<std::string> &pvs) override;
    std::map<std::string, Reading> read(double seconds) override;
    std::string write(const std::string &pv, const std::string &value) override;

private:
    QuietRepeater repeater;
    std::map<std::string, std::unique_ptr<Channel>> channels;
};

const char *const typeNames[] = {"string", "short", "float", "enum", "byte", "int", "double"};

// One element of a value with its graphic attributes, as text.
template <class Value> std::string element(const void *dbr, unsigned i)
{
    return plainNumber(double((&static_cast<const Value *>(dbr)->value)[i]));
}

std::string element(const event_handler_args &args, unsigned i)
{
    switch (args.type) {
    case DBR_GR_STRING:
        return (&static_cast<const dbr_sts_string *>(args.dbr)->value)[i];
    case DBR_GR_ENUM: {
        const dbr_gr_enum *all = static_cast<const dbr_gr_enum *>(args.dbr);
        unsigned index = (&all->value)[i];
        return index < unsigned(all->no_str) ? all->strs[index] : plainNumber(index);
    }
    case DBR_GR_SHORT:
        return element<dbr_gr_short>(args.dbr, i);
    case DBR_GR_FLOAT:
        return plainNumber(double((&static_cast<const dbr_gr_float *>(args.dbr)->value)[i]), true);
    case DBR_GR_CHAR:
        return element<dbr_gr_char>(args.dbr, i);
    case DBR_GR_LONG:
        return element<dbr_gr_long>(args.dbr, i);
    default:
        return element<dbr_gr_double>(args.dbr, i);
    }
}

std::string unitsOf(const event_handler_args &args)
{
    switch (args.type) {
    case DBR_GR_SHORT:
        return static_cast<const dbr_gr_short *>(args.dbr)->units;
    case DBR_GR_FLOAT:
        return static_cast<const dbr_gr_float *>(args.dbr)->units;
    case DBR_GR_CHAR:
        return static_cast<const dbr_gr_char *>(args.dbr)->units;
    case DBR_GR_LONG:
        return static_cast<const dbr_gr_long *>(args.dbr)->units;
    case DBR_GR_DOUBLE:
        return static_cast<const dbr_gr_double *>(args.dbr)->units;
    default:
        return "";
    }
}

void onReading(event_handler_args args)
{
    Channel *channel = static_cast<Channel *>(args.usr);
    std::lock_guard<std::mutex> guard(channel->client->mutex);
    if (channel->asked)
        channel->client->waiting--;
    channel->asked = false;
    if (args.status == ECA_NORMAL && args.dbr) {
        Reading &last = channel->last;
        // All begin with the alarm's status and severity.
        last.severity = severityName(static_cast<const dbr_sts_string *>(args.dbr)->severity);
        last.units = unitsOf(args);
        last.type = typeNames[args.type % (LAST_TYPE + 1)];
        last.value = args.count == 1 ? element(args, 0) : "";
        if (ca_element_count(channel->id) > 1) {
            last.type += "[]";
            std::string list;
            for (long i = 0; i < args.count; i++)
                list += (i ? "," : "") + element(args, unsigned(i));
            last.value = "[" + list + "]";
        }
        channel->served = true;
    }
    channel->client->answered.notify_all();
}

void onUpdate(event_handler_args args)
{
    Channel *channel = static_cast<Channel *>(args.usr);
    std::lock_guard<std::mutex> guard(channel->client->mutex);
    if (channel->updated)
        channel->last.updates++;
    channel->updated = true;
}

CAClient::CAClient(const std::string &server)
{
    searchOnlyAt(server);
    ca_context_create(ca_enable_preemptive_callback);
}

CAClient::~CAClient()
{
    ca_context_destroy();
}

void CAClient::open(const std::set<std::string> &pvs)
{
    for (const std::string &pv : pvs) {
        std::unique_ptr<Channel> &channel = channels[pv];
        if (channel)
            continue;
        channel.reset(new Channel());
        channel->client = this;
        ca_create_channel(pv.c_str(), NULL, NULL, CA_PRIORITY_DEFAULT, &channel->id);
        // Subscribed to before the type is known: as text, of which nothing is read.
        ca_create_subscription(DBR_STRING, 1, channel->id, DBE_VALUE, onUpdate, channel.get(), NULL);
    }
    ca_flush_io();
}

std::map<std::string, Reading> CAClient::read(double seconds)
{
    std::vector<Channel *> ask;
    for (auto &entry : channels)
        if (ca_state(entry.second->id) == cs_conn)
            ask.push_back(entry.second.get());
    for (Channel *channel : ask) {
        std::unique_lock<std::mutex> guard(mutex);
        if (channel->asked)
            continue; // of the time before
        channel->asked = true;
        waiting++;
        guard.unlock();
        chtype type = dbf_type_to_DBR_GR(ca_field_type(channel->id));
        if (ca_array_get_callback(type, ca_element_count(channel->id), channel->id, onReading, channel) != ECA_NORMAL) {
            guard.lock();
            channel->asked = false;
            waiting--;
        }
    }
    ca_flush_io();
    return collect(channels, seconds);
}

std::string CAClient::write(const std::string &pv, const std::string &value)
{
    chid id = channels[pv]->id;
    if (ca_state(id) != cs_conn)
        return "is not served";
    if (!ca_write_access(id))
        return "cannot be written: access security denies it";
    char text[MAX_STRING_SIZE] = "";
    std::strncpy(text, value.c_str(), sizeof text - 1);
    int status = ca_put(DBR_STRING, id, text);
    ca_flush_io();
    return status == ECA_NORMAL ? "" : std::string("cannot be written: ") + ca_message(status);
}

} // namespace

std::unique_ptr<Client> clientOfCA(const std::string &server)
{
    return std::unique_ptr<Client>(new CAClient(server));
}
