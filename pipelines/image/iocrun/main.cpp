/*
 * ioc-run: starts an IOC and looks after it, as process 1 of a container.
 *
 *   ioc-run COMMAND [ARGUMENT...]   runs the IOC until it ends
 *   ioc-run --ready                 succeeds when the IOC has started and answers
 *
 * What is to be watched is in the environment; see settings.h.
 */
#include <cstdio>
#include <cstdlib>
#include <string>

#include "settings.h"
#include "supervisor.h"

int main(int argc, char *argv[])
{
    if (argc == 2 && std::string(argv[1]) == "--ready")
        return readState(readSettings()) == "ready" ? EXIT_SUCCESS : EXIT_FAILURE;
    if (argc < 2 || argv[1][0] == '-') {
        std::fprintf(stderr, "usage: ioc-run COMMAND [ARGUMENT...]\n       ioc-run --ready\n");
        return 2;
    }
    return Supervisor(readSettings()).run(argv + 1);
}
