#include "settings.h"

#include "terminal.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <unistd.h>

static std::string text(const char *name, const char *otherwise)
{
    const char *value = std::getenv(name);
    return value && *value ? value : otherwise;
}

static unsigned seconds(const char *name, unsigned otherwise)
{
    std::string value = text(name, "");
    if (value.empty())
        return otherwise;
    char *unit;
    unsigned long n = std::strtoul(value.c_str(), &unit, 10);
    std::string suffix = unit;
    unsigned long factor = suffix == "" || suffix == "s" ? 1 : suffix == "m" ? 60 : suffix == "h" ? 3600 : 0;
    if (factor == 0 || n < 1 || n > 100000) {
        std::fprintf(stderr, "ioc-run: %s=%s is no time as in 90s, 3m or 1h\n", name, value.c_str());
        std::exit(2);
    }
    return unsigned(n * factor);
}

Settings readSettings()
{
    Settings s;
    s.pv = text("IOC_RUN_PV", "");
    s.pva = text("IOC_RUN_PROTOCOL", "ca") == "pva";
    s.advances = text("IOC_RUN_ADVANCES", "no") == "yes";
    s.within = seconds("IOC_RUN_WITHIN", 120);
    s.silence = seconds("IOC_RUN_SILENCE", 90);
    s.grace = seconds("IOC_RUN_GRACE", 30);
    s.state = text("IOC_RUN_STATE", "/tmp/ioc-run.state");
    return s;
}

void writeState(const Settings &settings, const std::string &word)
{
    // A new file each time: a reader sees the old word or the new one.
    std::string next = settings.state + ".new";
    FILE *file = std::fopen(next.c_str(), "w");
    bool good = file && std::fputs(word.c_str(), file) >= 0;
    if (file)
        good = std::fclose(file) == 0 && good;
    if (!good || std::rename(next.c_str(), settings.state.c_str()) != 0)
        report("the state can't be written to " + settings.state + ": " + std::strerror(errno));
}

std::string readState(const Settings &settings)
{
    char word[32] = "";
    if (FILE *file = std::fopen(settings.state.c_str(), "r")) {
        if (!std::fgets(word, sizeof word, file))
            word[0] = 0;
        std::fclose(file);
    }
    return word;
}
