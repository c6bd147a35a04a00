#include "listeners.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <vector>

#include <arpa/inet.h>
#include <dirent.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

struct Listener {
    in_addr address;
    unsigned port;
};

// Calls visit with each entry of a folder.
template <class Visit> void eachEntry(const std::string &folder, Visit visit)
{
    DIR *dir = opendir(folder.c_str());
    if (!dir)
        return;
    while (dirent *entry = readdir(dir))
        visit(std::string(entry->d_name));
    closedir(dir);
}

// The inodes of the sockets that the processes of this container hold, but for
// ioc-run itself.
std::set<unsigned long> sockets()
{
    std::set<unsigned long> inodes;
    std::string self = std::to_string(getpid());
    eachEntry("/proc", [&](const std::string &pid) {
        if (pid == self || pid.find_first_not_of("0123456789") != std::string::npos)
            return;
        std::string fds = "/proc/" + pid + "/fd";
        eachEntry(fds, [&](const std::string &fd) {
            char target[64] = "";
            unsigned long inode;
            if (readlink((fds + "/" + fd).c_str(), target, sizeof target - 1) > 0 &&
                std::sscanf(target, "socket:[%lu]", &inode) == 1)
                inodes.insert(inode);
        });
    });
    return inodes;
}

// The TCP sockets among them that listen: see proc_pid_net(5), where state 0A is
// LISTEN, and address and port are hexadecimal.
std::vector<Listener> listeners()
{
    std::vector<Listener> found;
    std::set<unsigned long> mine = sockets();
    FILE *table = std::fopen("/proc/self/net/tcp", "r");
    if (!table)
        return found;
    char line[512];
    while (std::fgets(line, sizeof line, table)) {
        unsigned address, port, state;
        unsigned long inode;
        if (std::sscanf(line, " %*d: %x:%x %*x:%*x %x %*x:%*x %*x:%*x %*x %*u %*u %lu", &address, &port, &state,
                        &inode) == 4 &&
            state == 0x0A && mine.count(inode)) {
            Listener listener = {};
            listener.address.s_addr = address;
            if (address == htonl(INADDR_ANY))
                listener.address.s_addr = htonl(INADDR_LOOPBACK);
            listener.port = port;
            found.push_back(listener);
        }
    }
    std::fclose(table);
    return found;
}

unsigned portOf(const char *server, const char *both, unsigned otherwise)
{
    for (const char *name : {server, both})
        if (const char *value = std::getenv(name))
            if (unsigned port = unsigned(std::strtoul(value, NULL, 10)))
                return port;
    return otherwise;
}

// Both servers speak first: pvAccess with its magic byte, Channel Access with
// the header of a version message. Returns the first byte, or -1.
int greeting(const Listener &listener)
{
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_addr = listener.address;
    to.sin_port = htons(uint16_t(listener.port));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    unsigned char first;
    int byte = -1;
    connect(fd, reinterpret_cast<sockaddr *>(&to), sizeof to);
    pollfd wait = {fd, POLLIN, 0};
    if (poll(&wait, 1, 500) == 1 && read(fd, &first, 1) == 1)
        byte = first;
    close(fd);
    return byte;
}

} // namespace

std::string findServer(bool pva)
{
    const int magic = 0xCA;
    const unsigned ca = portOf("EPICS_CAS_SERVER_PORT", "EPICS_CA_SERVER_PORT", 5064);
    const unsigned pvas = portOf("EPICS_PVAS_SERVER_PORT", "EPICS_PVA_SERVER_PORT", 5075);
    const unsigned mine = pva ? pvas : ca, other = pva ? ca : pvas;
    std::vector<Listener> all = listeners();
    const Listener *server = NULL;
    for (const Listener &listener : all)
        if (listener.port == mine)
            server = &listener;
    // Where another IOC has the usual port, the server took any that was free.
    for (const Listener &listener : all) {
        if (server)
            break;
        int byte = listener.port == other ? -1 : greeting(listener);
        if (byte == magic ? pva : byte == 0 && !pva)
            server = &listener;
    }
    if (!server)
        return "";
    return std::string(inet_ntoa(server->address)) + ":" + std::to_string(server->port);
}

void searchOnlyAt(const std::string &server)
{
    setenv("EPICS_CA_NAME_SERVERS", server.c_str(), 1);
    setenv("EPICS_CA_ADDR_LIST", "", 1);
    setenv("EPICS_CA_AUTO_ADDR_LIST", "NO", 1);
}

std::string searchAddresses()
{
    std::string port = std::to_string(portOf("EPICS_PVAS_BROADCAST_PORT", "EPICS_PVA_BROADCAST_PORT", 5076));
    std::string list;
    ifaddrs *all = NULL;
    if (getifaddrs(&all) != 0)
        return list;
    for (ifaddrs *one = all; one; one = one->ifa_next) {
        if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET || one->ifa_flags & IFF_LOOPBACK)
            continue; // a pvAccess server does not listen on the loopback
        in_addr address = reinterpret_cast<sockaddr_in *>(one->ifa_addr)->sin_addr;
        list += (list.empty() ? "" : " ") + std::string(inet_ntoa(address)) + ":" + port;
    }
    freeifaddrs(all);
    return list;
}
