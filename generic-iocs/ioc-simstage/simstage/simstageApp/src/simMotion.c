#include <math.h>

#include "simMotion.h"

simMotionStatus simMotionInit(simMotion *m, double velocity, double low, double high)
{
    if (!isfinite(velocity) || velocity <= 0)
        return simMotionBad;
    if (!isfinite(low) || !isfinite(high) || low >= high)
        return simMotionBad;
    m->velocity = velocity;
    m->low = low;
    m->high = high;
    m->position = fmin(fmax(0, low), high);
    m->target = m->position;
    m->refused = 0;
    return simMotionOk;
}

void simMotionAdvance(simMotion *m, double seconds)
{
    double way = m->target - m->position;
    double step = m->velocity * seconds;

    /* Lands on the target itself, so that "at rest" is an exact comparison. */
    if (fabs(way) <= step)
        m->position = m->target;
    else
        m->position += way > 0 ? step : -step;
}

int simMotionMoving(const simMotion *m)
{
    return m->position != m->target;
}

static int excluded(const simMotion *m, double where)
{
    return where < m->low || where > m->high;
}

simMotionStatus simMotionTo(simMotion *m, double target)
{
    if (!isfinite(target))
        return simMotionBad;
    m->refused = excluded(m, target);
    if (m->refused)
        return simMotionLimit;
    m->target = target;
    return simMotionOk;
}

void simMotionStop(simMotion *m)
{
    m->target = m->position;
    m->refused = 0;
}

simMotionStatus simMotionSetVelocity(simMotion *m, double velocity)
{
    if (!isfinite(velocity) || velocity <= 0)
        return simMotionBad;
    m->velocity = velocity;
    return simMotionOk;
}

static simMotionStatus setLimits(simMotion *m, double low, double high)
{
    if (!isfinite(low) || !isfinite(high) || low >= high)
        return simMotionBad;
    m->low = low;
    m->high = high;
    if (simMotionMoving(m) && excluded(m, m->target))
        simMotionStop(m);
    return simMotionOk;
}

simMotionStatus simMotionSetLow(simMotion *m, double low)
{
    return setLimits(m, low, m->high);
}

simMotionStatus simMotionSetHigh(simMotion *m, double high)
{
    return setLimits(m, m->low, high);
}
