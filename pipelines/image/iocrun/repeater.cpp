#include "repeater.h"

#include <cstdlib>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <caProto.h>

QuietRepeater::QuietRepeater() : fd(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0))
{
    sockaddr_in own = {};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof own;
    sockaddr *address = reinterpret_cast<sockaddr *>(&own);
    if (bind(fd, address, size) == 0 && getsockname(fd, address, &size) == 0)
        setenv("EPICS_CA_REPEATER_PORT", std::to_string(ntohs(own.sin_port)).c_str(), 1);
}

QuietRepeater::~QuietRepeater()
{
    if (fd >= 0)
        close(fd);
}

void QuietRepeater::confirm()
{
    char message[sizeof(caHdr)];
    sockaddr_in client;
    socklen_t size = sizeof client;
    sockaddr *address = reinterpret_cast<sockaddr *>(&client);
    // A registration may be empty: clients send it so for repeaters of before EPICS 3.12.
    while (recvfrom(fd, message, sizeof message, 0, address, &size) >= 0) {
        caHdr reply = {};
        reply.m_cmmd = htons(REPEATER_CONFIRM);
        reply.m_available = client.sin_addr.s_addr;
        sendto(fd, &reply, sizeof reply, 0, address, size);
        size = sizeof client;
    }
}
