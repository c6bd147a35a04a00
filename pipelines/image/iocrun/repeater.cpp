#include "repeater.h"

#include <cstdlib>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

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
