/* Prints the port of a QuietRepeater, and confirms registrations until it is killed. */
#include "repeater.h"

#include <cstdio>
#include <cstdlib>

#include <unistd.h>

int main()
{
    QuietRepeater repeater;
    std::puts(std::getenv("EPICS_CA_REPEATER_PORT"));
    std::fflush(stdout);
    for (;;) {
        repeater.confirm();
        usleep(10000);
    }
}
