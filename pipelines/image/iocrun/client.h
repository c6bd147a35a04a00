/* Reads and writes many PVs of one IOC, as ioc-ask does. */
#ifndef CLIENT_H
#define CLIENT_H

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

/* A PV as it was read last. Text is the same over Channel Access and pvAccess. */
struct Reading {
    std::string value;    // "5.25", the name of a choice, "[1,2]"
    std::string severity; // "NO_ALARM", "MINOR", "MAJOR", "INVALID"
    std::string units;    // "mm"
    std::string type;     // "double", "int", "enum", "string"; with "[]" for an array
    unsigned updates;     // that a monitor brought, beside the first
};

class Client {
public:
    virtual ~Client() {}
    /* Begins to look for these PVs, and to monitor them. */
    virtual void open(const std::set<std::string> &pvs) = 0;
    /* Reads all that are connected, for at most some seconds. */
    virtual std::map<std::string, Reading> read(double seconds) = 0;
    /* Writes; returns why not, or nothing. The record's work is not waited for. */
    virtual std::string write(const std::string &pv, const std::string &value) = 0;
};

/* What both clients do alike: count the questions that are open, and wait for them. */
class CountingClient : public Client {
public:
    std::mutex mutex; // of what follows, and of each channel
    std::condition_variable answered;
    unsigned waiting = 0;

protected:
    /* Waits until no question is open, for at most some seconds, and returns what
     * is known of the channels, each with its served and last, by PV. */
    template <class Channels> std::map<std::string, Reading> collect(const Channels &channels, double seconds)
    {
        std::unique_lock<std::mutex> guard(mutex);
        answered.wait_for(guard, std::chrono::duration<double>(seconds), [&] { return waiting == 0; });
        std::map<std::string, Reading> readings;
        for (const auto &entry : channels)
            if (entry.second->served)
                readings[entry.first] = entry.second->last;
        return readings;
    }
};

/* A client of one server, "address:port" over TCP. */
std::unique_ptr<Client> clientOfCA(const std::string &server);
/* A client of this host's servers. NULL where Base has no pvAccess. */
std::unique_ptr<Client> clientOfPVA();

/* Returns a number as both clients print it; a float has fewer digits that count. */
std::string plainNumber(double number, bool isFloat = false);
/* Returns the name of an alarm severity. */
std::string severityName(int severity);

#endif
