/* Runs one IOC from its start to its end. */
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include <memory>
#include <string>

#include <sys/types.h>

#include "probe.h"
#include "settings.h"
#include "terminal.h"

/*
 * Starts the IOC in a terminal of its own, knows when its start-up script has
 * ended, watches its probe PV, and stops it politely. Children of the IOC that
 * nobody waits for are reaped.
 */
class Supervisor {
public:
    explicit Supervisor(const Settings &settings);
    /* Runs the command until it ends. Returns the exit status for ioc-run. */
    int run(char *const command[]);

private:
    Settings settings;
    Terminal terminal;
    int signals;         // descriptor that SIGTERM, SIGCHLD and SIGWINCH are read from
    int mark;            // descriptor that the IOC shell writes to; -1 when that is over
    std::string nonce;   // what it writes
    std::string answer;  // the line that has it do so
    pid_t ioc;
    int status;          // of the IOC that has ended
    bool ended, started, ready, stopping;
    bool heard;                     // since the stop began, the shell has read a line, or SIGTERM was sent
    bool killed, failed;
    double began, insist, deadline; // in seconds, as now()
    std::unique_ptr<Probe> probe;
    double connected, asked, answered, changed;
    Answers seen;

    void start(char *const command[]);
    void wait();
    void readSignals();
    void readMark();
    void reap();
    void watch(double time);
    void watchProbe(double time);
    void connect(double time);
    void fail(const std::string &why);
    void stop(double time);
    void hurry(double time);
    int exitStatus() const;
};

#endif
