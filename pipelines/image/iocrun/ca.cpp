/*
 * Asks over Channel Access on a plain TCP connection. The client library of EPICS Base
 * is not used: its timers wake some sixty times a second for a channel that does
 * nothing, and it listens to the beacons of all other IOCs, which is most of a
 * processor with a hundred IOCs on a node. Nothing is searched for here, because the
 * server is known. See the Channel Access protocol specification of EPICS Base.
 */
#include "probe.h"

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <caProto.h>

namespace {

const uint16_t minorVersion = 13;
const uint32_t normal = 1; // ECA_NORMAL

class CAProbe : public Probe {
public:
    CAProbe(const std::string &pv, const std::string &server);
    ~CAProbe() override { disconnect(); }
    void ask() override;
    Answers answers() override;
    int fd() const override { return connection; }

private:
    const std::string pv;
    sockaddr_in server;
    int connection;        // -1 without one
    bool open, asked;      // the channel is; a question is
    uint32_t channel;      // what the server calls it
    uint16_t type;         // of its value
    std::string out, in;   // not sent yet; received, but not read
    std::string value;
    Answers seen;

    void connect();
    void disconnect();
    void put(uint16_t command, uint16_t type, uint16_t count, uint32_t first, uint32_t second, std::string text);
    void flush();
    bool receive();
    void take(const caHdr &header, const std::string &payload);
};

CAProbe::CAProbe(const std::string &pv, const std::string &server)
    : pv(pv), server(), connection(-1), open(false), asked(false), channel(0), type(0), seen()
{
    std::string::size_type colon = server.rfind(':');
    this->server.sin_family = AF_INET;
    this->server.sin_addr.s_addr = inet_addr(server.substr(0, colon).c_str());
    this->server.sin_port = htons(uint16_t(std::strtoul(server.c_str() + colon + 1, NULL, 10)));
    connect();
}

void CAProbe::connect()
{
    connection = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (::connect(connection, reinterpret_cast<sockaddr *>(&server), sizeof server) != 0 && errno != EINPROGRESS) {
        disconnect();
        return;
    }
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    put(CA_PROTO_VERSION, 0, minorVersion, 0, 0, "");
    put(CA_PROTO_CLIENT_NAME, 0, 0, 0, 0, "ioc-run");
    put(CA_PROTO_HOST_NAME, 0, 0, 0, 0, host);
    put(CA_PROTO_CREATE_CHAN, 0, 0, 0, minorVersion, pv);
    flush();
}

void CAProbe::disconnect()
{
    if (connection >= 0)
        close(connection);
    connection = -1;
    open = asked = false;
    out.clear();
    in.clear();
}

/* A text goes with its final zero, filled up to a multiple of eight bytes. */
void CAProbe::put(uint16_t command, uint16_t type, uint16_t count, uint32_t first, uint32_t second, std::string text)
{
    if (!text.empty())
        text.resize((text.size() / 8 + 1) * 8);
    caHdr header = {};
    header.m_cmmd = htons(command);
    header.m_postsize = htons(uint16_t(text.size()));
    header.m_dataType = htons(type);
    header.m_count = htons(count);
    header.m_cid = htonl(first);
    header.m_available = htonl(second);
    out.append(reinterpret_cast<char *>(&header), sizeof header);
    out += text;
}

void CAProbe::flush()
{
    while (connection >= 0 && !out.empty()) {
        ssize_t n = send(connection, out.data(), out.size(), MSG_NOSIGNAL);
        if (n > 0)
            out.erase(0, size_t(n));
        else if (errno == EAGAIN)
            return;
        else if (errno != EINTR)
            disconnect();
    }
}

void CAProbe::ask()
{
    if (connection < 0)
        connect();
    if (open && !asked) {
        asked = true;
        put(CA_PROTO_READ_NOTIFY, type, 1, channel, 0, "");
    }
    flush();
}

Answers CAProbe::answers()
{
    while (connection >= 0 && receive()) {
        while (in.size() >= sizeof(caHdr)) {
            caHdr header;
            std::memcpy(&header, in.data(), sizeof header);
            size_t all = sizeof header + ntohs(header.m_postsize);
            if (in.size() < all)
                break;
            std::string payload = in.substr(sizeof header, all - sizeof header);
            in.erase(0, all);
            take(header, payload);
        }
    }
    return seen;
}

/* Reports whether something was received. */
bool CAProbe::receive()
{
    char part[4096];
    ssize_t n = recv(connection, part, sizeof part, 0);
    if (n > 0)
        in.append(part, size_t(n));
    else if (n == 0 || (errno != EAGAIN && errno != EINTR && errno != ENOTCONN))
        disconnect(); // the next question connects again
    return n > 0;
}

void CAProbe::take(const caHdr &header, const std::string &payload)
{
    switch (ntohs(header.m_cmmd)) {
    case CA_PROTO_CREATE_CHAN:
        channel = ntohl(header.m_available);
        type = ntohs(header.m_dataType);
        open = true;
        asked = false;
        ask(); // the first time it is not waited for
        break;
    case CA_PROTO_CREATE_CH_FAIL: // the IOC has no such PV, or not yet
    case CA_PROTO_SERVER_DISCONN:
        disconnect();
        break;
    case CA_PROTO_READ_NOTIFY:
        asked = false;
        if (ntohl(header.m_cid) != normal)
            break;
        if (seen.count++ > 0 && payload != value)
            seen.changes++;
        value = payload;
        break;
    }
}

} // namespace

std::unique_ptr<Probe> askOverCA(const std::string &pv, const std::string &server)
{
    return std::unique_ptr<Probe>(new CAProbe(pv, server));
}
