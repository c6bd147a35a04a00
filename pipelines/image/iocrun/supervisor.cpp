#include "supervisor.h"

#include "listeners.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

const double askEvery = 10;   // seconds between questions to an IOC that has answered
const double lookEvery = 0.5; // seconds between looks at one that has not yet
const double tryAgain = 15;   // seconds after which a server that doesn't answer is looked for again

double now()
{
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return double(time.tv_sec) + double(time.tv_nsec) / 1e9;
}

std::string randomWord()
{
    unsigned char bytes[12];
    char word[2 * sizeof bytes + 1];
    if (getrandom(bytes, sizeof bytes, 0) != ssize_t(sizeof bytes))
        std::abort();
    for (unsigned i = 0; i < sizeof bytes; i++)
        std::snprintf(word + 2 * i, 3, "%02x", bytes[i]);
    return word;
}

std::string inSeconds(double seconds)
{
    return std::to_string(long(seconds + 0.5)) + " s";
}

} // namespace

Supervisor::Supervisor(const Settings &settings)
    : settings(settings), mark(-1), nonce(randomWord()), ioc(0), status(0), ended(false), started(false), ready(false),
      stopping(false), heard(false), killed(false), failed(false), began(now()), insist(0), deadline(0), connected(0),
      asked(0), answered(0), changed(0), seen()
{
    // What a terminal sends when somebody types Ctrl-C or goes away stops no IOC.
    for (int signal : {SIGINT, SIGQUIT, SIGHUP, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU})
        std::signal(signal, SIG_IGN);
    sigset_t set;
    sigemptyset(&set);
    for (int signal : {SIGTERM, SIGCHLD, SIGWINCH})
        sigaddset(&set, signal);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    prctl(PR_SET_CHILD_SUBREAPER, 1); // where ioc-run is not process 1
}

int Supervisor::run(char *const command[])
{
    writeState(settings, "starting");
    start(command);
    while (!ended) {
        wait();
        double time = now();
        if (stopping)
            hurry(time);
        else
            watch(time);
    }
    terminal.copyOutput();
    writeState(settings, "ended");
    return exitStatus();
}

void Supervisor::start(char *const command[])
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        std::abort();
    mark = ends[0];
    fcntl(mark, F_SETFL, O_NONBLOCK);
    ioc = terminal.start(command, ends[1]);
    close(ends[1]);
    // The shell reads this when the start-up script has ended: no earlier, and
    // not at all if it never does.
    answer = "echo " + nonce + " > /proc/self/fd/" + std::to_string(ends[1]) + "\n";
    terminal.type(answer);
}

void Supervisor::wait()
{
    pollfd all[] = {
        {signals, POLLIN, 0},
        {terminal.fd(), terminal.events(), 0},
        {terminal.input(), POLLIN, 0},
        {mark, POLLIN, 0},
        {probe ? probe->fd() : -1, POLLIN, 0},
    };
    double pause = -1; // for ever: an IOC without a probe PV is waited for
    if (stopping || !ready)
        pause = lookEvery;
    else if (!settings.pv.empty())
        pause = std::max(asked + askEvery - now(), 0.0);
    poll(all, 5, pause < 0 ? -1 : int(pause * 1000) + 1);
    if (all[1].revents & POLLOUT)
        terminal.flush();
    if (all[1].revents & ~POLLOUT)
        terminal.copyOutput();
    if (all[2].revents)
        terminal.copyInput();
    if (all[3].revents)
        readMark();
    if (all[0].revents)
        readSignals();
}

void Supervisor::readSignals()
{
    signalfd_siginfo info;
    while (read(signals, &info, sizeof info) == ssize_t(sizeof info)) {
        if (info.ssi_signo == SIGTERM && !stopping) {
            report("SIGTERM: stopping the IOC");
            stop(now());
        } else if (info.ssi_signo == SIGWINCH) {
            terminal.resize();
        } else if (info.ssi_signo == SIGCHLD) {
            reap();
        }
    }
}

void Supervisor::readMark()
{
    char text[128];
    ssize_t n = read(mark, text, sizeof text - 1);
    if (n <= 0) { // no process has the other end
        close(mark);
        mark = -1;
        return;
    }
    text[n] = 0;
    if (!std::strstr(text, nonce.c_str()))
        return;
    if (stopping)
        heard = true;
    if (started)
        return;
    started = true;
    terminal.echo();
    writeState(settings, "started");
    report("the start-up script has ended, after " + inSeconds(now() - began));
}

void Supervisor::reap()
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == ioc) {
            ended = true;
            this->status = status;
        }
    }
}

void Supervisor::watch(double time)
{
    if (!settings.pv.empty())
        watchProbe(time);
    else if (started && !ready)
        ready = true, writeState(settings, "ready");
    if (stopping || ready || time - began <= settings.within)
        return;
    if (!started)
        fail("the start-up script has not ended within " + inSeconds(settings.within));
    else
        fail("the probe PV " + settings.pv + " has not answered within " + inSeconds(settings.within) +
             " of the start");
}

void Supervisor::watchProbe(double time)
{
    if (!probe || (!seen.count && time - connected > tryAgain))
        connect(time);
    if (!probe || stopping)
        return;
    if (time - asked >= (ready ? askEvery : lookEvery)) {
        probe->ask();
        asked = time;
    }
    Answers answers = probe->answers();
    if (answers.count > seen.count)
        answered = time;
    if (answers.changes > seen.changes || !ready)
        changed = time;
    seen = answers;
    if (!ready && started && seen.count) {
        ready = true;
        writeState(settings, "ready");
        report("the probe PV " + settings.pv + " answers");
    }
    if (ready && time - answered > settings.silence)
        fail("the probe PV " + settings.pv + " has not answered for " + inSeconds(settings.silence));
    else if (ready && settings.advances && time - changed > settings.silence)
        fail("the probe PV " + settings.pv + " has not changed for " + inSeconds(settings.silence));
}

// Looks for the IOC's server, which it has only after iocInit.
void Supervisor::connect(double time)
{
    std::string server = findServer(settings.pva);
    if (server.empty())
        return;
    probe.reset(); // first: a thread has one client of Channel Access
    probe = settings.pva ? askOverPVA(settings.pv, server) : askOverCA(settings.pv, server);
    connected = time;
    seen = Answers();
    if (!probe)
        fail("EPICS Base of this image has no pvAccess; set the protocol to ca");
}

// Ends an IOC that does not work, so that whoever started ioc-run sees it.
void Supervisor::fail(const std::string &why)
{
    report(why + "; ending the IOC");
    failed = true;
    writeState(settings, "failed");
    stop(now());
}

void Supervisor::stop(double time)
{
    // A second is kept, to say what happened before somebody else ends this.
    double grace = settings.grace - (settings.grace > 2 ? 1 : 0);
    insist = time + grace / 2;
    deadline = time + grace;
    stopping = true;
    probe.reset(); // it would report the end of its connection
    if (!started) { // the shell would not read what is typed
        heard = true;
        kill(ioc, SIGTERM);
        return;
    }
    terminal.type(answer + (access("stop.cmd", R_OK) == 0 ? "< stop.cmd\n" : "") + "exit\n");
}

// Helps an IOC to its end that does not stop: one whose shell does not read, and
// at last any. A shell that has read `exit` is left alone until then, because a
// second way out would not wait for the exit handlers of the first.
void Supervisor::hurry(double time)
{
    if (!heard && time >= insist) {
        report("the IOC shell does not read; sending SIGTERM to the IOC");
        heard = true;
        kill(ioc, SIGTERM);
    }
    if (time < deadline || killed)
        return;
    report("the IOC did not stop within " + inSeconds(settings.grace) + "; killing it");
    killed = true;
    kill(ioc, SIGKILL);
}

int Supervisor::exitStatus() const
{
    if (killed)
        return 128 + SIGKILL;
    if (failed)
        return EXIT_FAILURE;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
