/*
 * ioc-run: starts an IOC and looks after it, as process 1 of a container.
 *
 *   ioc-run COMMAND [ARGUMENT...]   runs the IOC until it ends
 *   ioc-run --ready                 succeeds when the IOC has started and answers;
 *                                   waits for that for some seconds
 *
 * What is to be watched is in the environment; see settings.h.
 */
#include <cstdio>
#include <cstdlib>
#include <string>

#include <unistd.h>

#include "settings.h"
#include "supervisor.h"

namespace {

/*
 * Each start of a program in a container costs a node far more than a look at a
 * file: one that waits stands for many that look once, and it sees sooner that the
 * IOC is ready. It ends before the 10 s after which Kubernetes gives it up.
 */
const int looks = 40;
const useconds_t between = 200 * 1000; // microseconds

bool waitUntilReady(const Settings &settings)
{
    for (int look = 0; look < looks; look++) {
        if (look)
            usleep(between);
        std::string state = readState(settings);
        if (state == "ready")
            return true;
        if (state == "failed" || state == "ended")
            return false;
    }
    return false;
}

} // namespace

int main(int argc, char *argv[])
{
    if (argc == 2 && std::string(argv[1]) == "--ready")
        return waitUntilReady(readSettings()) ? EXIT_SUCCESS : EXIT_FAILURE;
    if (argc < 2 || argv[1][0] == '-') {
        std::fprintf(stderr, "usage: ioc-run COMMAND [ARGUMENT...]\n       ioc-run --ready\n");
        return 2;
    }
    return Supervisor(readSettings()).run(argv + 1);
}
