/*
 * A generic IOC: runs its start-up script, then serves until it is told to stop.
 *
 *   ioc st.cmd
 *
 * With a terminal on stdin the IOC shell is there, and `exit` stops the IOC.
 * Without one the IOC just serves. SIGTERM stops it politely either way, also
 * as process 1 of a container: exit handlers run, and the exit status is 0.
 */
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <semaphore.h>
#include <unistd.h>

#include <epicsEvent.h>
#include <epicsExit.h>
#include <epicsThread.h>
#include <iocInit.h>
#include <iocsh.h>

#include "crash.h"

namespace {

// How long a SIGTERM waits for a start-up script that is still running: to stop
// an IOC in the middle of iocInit is not safe, but a script may also hang.
const double scriptSeconds = 5.0;

sem_t terminated;
epicsEventId scriptEnded;

extern "C" void onTerm(int)
{
    int saved = errno;
    sem_post(&terminated); // all that a signal handler may do here
    errno = saved;
}

extern "C" void leaveWhenTerminated(void *)
{
    while (sem_wait(&terminated) != 0) {
        if (errno != EINTR)
            return;
    }
    std::fprintf(stderr, "ioc: SIGTERM: stopping\n");
    epicsEventWaitWithTimeout(scriptEnded, scriptSeconds);
    epicsExit(EXIT_SUCCESS);
}

void stopOnTerm()
{
    scriptEnded = epicsEventMustCreate(epicsEventEmpty);
    sem_init(&terminated, 0, 0);
    epicsThreadMustCreate("terminate", epicsThreadPriorityLow,
                          epicsThreadGetStackSize(epicsThreadStackMedium),
                          leaveWhenTerminated, NULL);
    struct sigaction action;
    std::memset(&action, 0, sizeof action);
    action.sa_handler = onTerm;
    action.sa_flags = SA_RESTART;
    sigaction(SIGTERM, &action, NULL);
}

// Says why and ends the IOC, so that whoever started it knows at once.
void fail(const char *script, const char *why)
{
    std::fprintf(stderr, "ioc: start-up script %s: %s\n", script, why);
    epicsExit(EXIT_FAILURE);
}

void runScript(const char *script)
{
    if (access(script, R_OK) != 0)
        fail(script, std::strerror(errno));
    if (iocsh(script) != 0)
        fail(script, "stopped at an error");
    epicsEventMustTrigger(scriptEnded);
}

void serve(const char *script)
{
    if (isatty(STDIN_FILENO)) {
        iocsh(NULL);
        return;
    }
    if (getIocState() != iocRunning)
        fail(script, "ended, but the IOC does not run: iocInit is missing or failed");
    for (;;)
        pause();
}

} // namespace

int main(int argc, char *argv[])
{
    if (argc != 2) {
        std::fprintf(stderr, "usage: ioc st.cmd\n");
        return EXIT_FAILURE;
    }
    // A log that is read through a pipe shows each line when it is printed.
    std::setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    reportCrashes();
    stopOnTerm();
    runScript(argv[1]);
    serve(argv[1]);
    epicsExit(EXIT_SUCCESS);
    return EXIT_SUCCESS;
}
