/* A client that answers once there is a file "answers", in place of those of EPICS Base. */
#include "probe.h"

#include <unistd.h>

#include "listeners.h"

namespace {

class FileProbe : public Probe {
public:
    void ask() override
    {
        if (access("answers", F_OK) == 0)
            seen.count++;
    }
    Answers answers() override { return seen; }

private:
    Answers seen = {};
};

} // namespace

std::string findServer(bool)
{
    return "127.0.0.1:1";
}

std::unique_ptr<Probe> askOverCA(const std::string &, const std::string &)
{
    return std::unique_ptr<Probe>(new FileProbe);
}

std::unique_ptr<Probe> askOverPVA(const std::string &, const std::string &)
{
    return nullptr;
}
