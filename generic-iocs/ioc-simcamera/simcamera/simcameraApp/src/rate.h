/* How many frames a second, over about the last second. */
#ifndef INC_simcamera_rate_H
#define INC_simcamera_rate_H

#include <epicsTypes.h>

class Rate {
public:
    /* Counts a frame at a time of epicsMonotonicGet. */
    void tick(epicsUInt64 now)
    {
        if (!count++)
            since = now;
        last = now;
        if (now - since >= second) {
            rate = (count - 1) / seconds(now - since);
            since = now;
            count = 1;
        }
    }

    /* Frames a second; 0 when none came for two seconds. */
    double perSecond(epicsUInt64 now) const { return last && now - last < 2 * second ? rate : 0; }

    void reset() { *this = Rate(); }

    static constexpr epicsUInt64 second = 1000000000;
    static double seconds(epicsUInt64 ns) { return ns * 1e-9; }

private:
    epicsUInt64 since = 0, last = 0;
    long count = 0;
    double rate = 0;
};

#endif
