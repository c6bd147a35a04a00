/* What a crash leaves in the IOC's log. */
#ifndef CRASH_H
#define CRASH_H

/* From now on a signal that ends the IOC first writes a backtrace to stderr. */
void reportCrashes();

#endif
