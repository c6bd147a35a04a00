/* Asks for PV X of the server that it is given, and prints what has been answered. */
#include "probe.h"

#include <cstdio>

#include <unistd.h>

int main(int, char *argv[])
{
    std::unique_ptr<Probe> probe = askOverCA("X", argv[1]);
    for (;;) {
        probe->ask();
        usleep(20000);
        Answers seen = probe->answers();
        std::printf("%u %u\n", seen.count, seen.changes);
        std::fflush(stdout);
    }
}
