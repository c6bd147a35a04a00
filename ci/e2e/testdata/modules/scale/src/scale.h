/* Engineering units of a raw value. */
#ifndef SCALE_H
#define SCALE_H

#include <shareLib.h>

#ifdef __cplusplus
extern "C" {
#endif

double scaleRaw(long raw);

#ifdef __cplusplus
}
#endif

#endif
