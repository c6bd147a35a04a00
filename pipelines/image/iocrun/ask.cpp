/*
 * ioc-ask: asks the IOC of this container whether checks hold, over each
 * protocol that it serves, all PVs at once.
 *
 *   ioc-ask FILE
 *   ioc-ask --value ca|pva PV   prints the PV's value, or why there is none
 *   ioc-ask --severity ca|pva PV...
 *
 * The last prints "NAME SEVERITY" for each PV, and nothing for one that is not served.
 *
 * The file has a block of lines for each check: "check NUMBER", then one line
 * each for what it says: "pv NAME", "put VALUE", "reads NAME", "value TEXT",
 * "min NUMBER", "max NUMBER", "units TEXT", "severity NAME", "type NAME",
 * "advances", "within SECONDS". A check that puts begins a round: the value is
 * written, and all checks up to the next put are read until they hold.
 *
 * Prints "protocol NAME" for each, and "NUMBER NAME ok" or "NUMBER NAME WHY" for
 * each check over each protocol.
 */
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>
#include <vector>

#include "client.h"
#include "listeners.h"

namespace {

struct Check {
    std::string number, pv, put, reads;
    std::map<std::string, std::string> rules;
    bool puts;
    double within;

    const std::string &target() const { return reads.empty() ? pv : reads; }
};

struct Protocol {
    std::string name;
    std::unique_ptr<Client> client;
    std::map<std::string, Reading> firsts; // of this round
};

bool numeric(const std::string &text, double *number)
{
    char *end;
    *number = std::strtod(text.c_str(), &end);
    return !text.empty() && !*end;
}

bool same(const std::string &a, const std::string &b)
{
    double x, y;
    if (numeric(a, &x) && numeric(b, &y))
        return x == y || (std::isnan(x) && std::isnan(y));
    return a == b;
}

// What is wrong with a reading; nothing when the check holds.
std::string judge(const Check &check, const Reading &now, const Reading &first)
{
    double value, limit;
    for (const auto &rule : check.rules) {
        const std::string &name = rule.first, &want = rule.second;
        if (name == "value" && !same(now.value, want))
            return "is " + now.value + ", not " + want + ",";
        if (name == "units" && now.units != want)
            return "is in " + (now.units.empty() ? "no units" : now.units) + ", not in " + want + ",";
        if (name == "severity" && now.severity != want)
            return "has the severity " + now.severity + ", not " + want + ",";
        if (name == "type" && now.type != want)
            return "is of type " + now.type + ", not " + want + ",";
        if (name == "advances" && now.value == first.value)
            return "stays at " + now.value;
        if (name == "advances" && now.updates == 0)
            return "sends no updates to a monitor";
        if (name != "min" && name != "max")
            continue;
        if (!numeric(now.value, &value))
            return "is \"" + now.value + "\", not a number,";
        numeric(want, &limit);
        if (name == "min" && !(value >= limit))
            return "is " + now.value + ", below " + want + ",";
        if (name == "max" && !(value <= limit))
            return "is " + now.value + ", above " + want + ",";
    }
    return "";
}

std::vector<Check> readChecks(std::istream &file)
{
    std::vector<Check> checks;
    std::string line;
    while (std::getline(file, line)) {
        size_t space = line.find(' ');
        std::string key = line.substr(0, space);
        std::string rest = space == std::string::npos ? "" : line.substr(space + 1);
        if (key == "check") {
            checks.push_back(Check());
            checks.back().number = rest;
            checks.back().within = 10;
            continue;
        }
        Check &check = checks.at(checks.size() - 1);
        if (key == "pv")
            check.pv = rest;
        else if (key == "reads")
            check.reads = rest;
        else if (key == "within")
            check.within = std::atof(rest.c_str());
        else if (key == "put")
            check.puts = true, check.put = rest;
        else
            check.rules[key] = rest;
    }
    return checks;
}

// Reads over all protocols until all checks from one to before another hold, or
// their time is over; prints what came of it.
void round(std::vector<Protocol> &protocols, const Check *from, const Check *to)
{
    auto began = std::chrono::steady_clock::now();
    for (Protocol &protocol : protocols)
        protocol.firsts.clear();
    for (bool open = true; open;) {
        open = false;
        double passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
        std::ostringstream results;
        for (Protocol &protocol : protocols) {
            std::map<std::string, Reading> readings = protocol.client->read(2);
            for (const auto &reading : readings)
                protocol.firsts.insert(reading);
            for (const Check *check = from; check != to; check++) {
                auto reading = readings.find(check->target());
                std::string why = reading == readings.end()
                                      ? "is not served"
                                      : judge(*check, reading->second, protocol.firsts[check->target()]);
                results << check->number << ' ' << protocol.name << ' ' << (why.empty() ? "ok" : why) << '\n';
                open = open || (!why.empty() && passed < check->within);
            }
        }
        if (!open)
            std::cout << results.str();
        else
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
}

// A client of this container's server; NULL where no process serves the protocol.
std::unique_ptr<Client> clientOf(bool pva)
{
    std::string server = findServer(pva);
    if (server.empty())
        return nullptr;
    return pva ? clientOfPVA() : clientOfCA(server);
}

std::vector<Protocol> serving(const std::vector<Check> &checks)
{
    std::set<std::string> pvs;
    for (const Check &check : checks) {
        pvs.insert(check.pv);
        pvs.insert(check.target());
    }
    std::vector<Protocol> protocols;
    for (bool pva : {false, true}) {
        std::unique_ptr<Client> client = clientOf(pva);
        if (!client)
            continue;
        client->open(pvs);
        protocols.push_back(Protocol());
        protocols.back().name = pva ? "pva" : "ca";
        protocols.back().client = std::move(client);
        std::cout << "protocol " << protocols.back().name << '\n';
    }
    return protocols;
}

// Writes as soon as the PV is connected; prints why not.
bool put(Protocol &protocol, const Check &check)
{
    std::string why;
    for (int tries = 0; tries < 50; tries++) {
        why = protocol.client->write(check.pv, check.put);
        if (why.empty())
            return true;
        if (why != "is not served")
            break;
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    std::cout << check.number << ' ' << protocol.name << ' ' << why << '\n';
    return false;
}

// Prints the value of one PV, for which it waits some seconds.
int printValue(bool pva, const std::string &pv)
{
    std::unique_ptr<Client> client = clientOf(pva);
    if (!client) {
        std::fprintf(stderr, "no process of this container serves %s\n", pva ? "pvAccess" : "Channel Access");
        return EXIT_FAILURE;
    }
    client->open({pv});
    for (int tries = 0; tries < 25; tries++) {
        std::map<std::string, Reading> readings = client->read(2);
        if (!readings.empty()) {
            std::cout << readings.begin()->second.value << std::endl;
            return EXIT_SUCCESS;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    std::fprintf(stderr, "%s is not served\n", pv.c_str());
    return EXIT_FAILURE;
}

// Prints the severities of PVs, for which it waits some seconds. What has no alarm
// is in none. That nothing is served is an answer too, so it never fails.
int printSeverities(bool pva, const std::set<std::string> &pvs)
{
    std::unique_ptr<Client> client = clientOf(pva);
    std::map<std::string, Reading> readings;
    if (client)
        client->open(pvs);
    for (int tries = 0; client && tries < 25 && readings.size() < pvs.size(); tries++) {
        if (tries > 0)
            std::this_thread::sleep_for(std::chrono::milliseconds(200));
        readings = client->read(2);
    }
    for (const auto &reading : readings)
        std::cout << reading.first << ' '
                  << (reading.second.severity.empty() ? "NO_ALARM" : reading.second.severity) << '\n';
    std::cout.flush();
    return EXIT_SUCCESS;
}

} // namespace

std::string plainNumber(double number, bool isFloat)
{
    char text[40];
    std::snprintf(text, sizeof text, isFloat ? "%.7g" : "%.15g", number);
    return text;
}

std::string severityName(int severity)
{
    const char *const names[] = {"NO_ALARM", "MINOR", "MAJOR", "INVALID"};
    return severity >= 0 && severity < 4 ? names[severity] : std::to_string(severity);
}

int main(int argc, char *argv[])
{
    if (argc == 4 && std::string(argv[1]) == "--value")
        std::_Exit(printValue(std::string(argv[2]) == "pva", argv[3]));
    if (argc >= 4 && std::string(argv[1]) == "--severity")
        std::_Exit(printSeverities(std::string(argv[2]) == "pva", std::set<std::string>(argv + 3, argv + argc)));
    std::ifstream file(argc == 2 ? argv[1] : "");
    if (!file) {
        std::fprintf(
            stderr, "usage: ioc-ask FILE\n       ioc-ask --value ca|pva PV\n       ioc-ask --severity ca|pva PV...\n");
        return 2;
    }
    std::vector<Check> checks = readChecks(file);
    std::vector<Protocol> protocols = serving(checks);
    if (protocols.empty())
        return EXIT_SUCCESS;
    for (size_t i = 0, end; i < checks.size(); i = end) {
        for (end = i + 1; end < checks.size() && !checks[end].puts;)
            end++;
        if (!checks[i].puts || put(protocols[0], checks[i]))
            round(protocols, &checks[i], &checks[i] + (end - i));
    }
    std::cout.flush();
    std::_Exit(EXIT_SUCCESS); // the clients' threads need not be waited for
}
