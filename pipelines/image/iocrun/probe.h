/* One standing question to the IOC: what is the value of its probe PV? */
#ifndef PROBE_H
#define PROBE_H

#include <memory>
#include <string>

/* What has been answered so far. */
struct Answers {
    unsigned count;    // how many there were
    unsigned changes;  // how many differed from the one before
};

/*
 * A client with one channel to one PV of one server. It asks when it is told to,
 * and a question that is still open is not asked again. A connection that is lost
 * is made again.
 */
class Probe {
public:
    virtual ~Probe() {}
    virtual void ask() = 0;
    virtual Answers answers() = 0;
    /* What becomes readable when there is something to take in; -1 if a thread does that. */
    virtual int fd() const { return -1; }
};

/* server is "address:port" of the IOC's server over TCP. Nobody else is asked. */
std::unique_ptr<Probe> askOverCA(const std::string &pv, const std::string &server);
/* The same over pvAccess. NULL where EPICS Base was built without it. */
std::unique_ptr<Probe> askOverPVA(const std::string &pv, const std::string &server);

#endif
