#include "scale.h"

double scaleRaw(long raw)
{
    return 2.0 * raw;
}
