/* What an instance asks of ioc-run, from the environment. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <string>

struct Settings {
    std::string pv;       // IOC_RUN_PV: the probe PV; empty when nothing is to be watched
    bool pva;             // IOC_RUN_PROTOCOL=pva: ask over pvAccess, else over Channel Access
    bool advances;        // IOC_RUN_ADVANCES=yes: the PV must go on changing
    unsigned within;      // IOC_RUN_WITHIN: seconds from the start until the PV must have answered
    unsigned silence;     // IOC_RUN_SILENCE: seconds without an answer after which the IOC is dead
    unsigned grace;       // IOC_RUN_GRACE: seconds that the IOC has to stop in
    std::string state;    // IOC_RUN_STATE: the file that holds the state
};

/* Reads the environment. Times are as in 90s, 3m or 1h; exits with status 2 where one is not. */
Settings readSettings();

/* Writes a word to the state file, in one piece; says so where it can't. */
void writeState(const Settings &settings, const std::string &word);

/* Returns the word in the state file; empty when there is none. */
std::string readState(const Settings &settings);

#endif
