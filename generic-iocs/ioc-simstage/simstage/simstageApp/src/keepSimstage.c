#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cantProceed.h>
#include <epicsString.h>
#include <errlog.h>

#include "drvSimstage.h"
#include "keepSimstage.h"

/* The file, and the one that is written before it takes its place. */
static char *kept, *fresh;

static void restore(const char *port, double position)
{
    simstage *s = simstageFind(port);

    if (s)
        simstageRestore(s, simstageVAL, position);
}

static void writeOne(const char *port, double position, void *arg)
{
    fprintf(arg, "%s %.17g\n", port, position);
}

/* A reader, or an IOC that starts after one that was killed, sees all of the
 * file or the one before it. */
static void save(void)
{
    FILE *f = fopen(fresh, "w");
    int ok = f != NULL;

    if (ok) {
        simstageEach(writeOne, f);
        ok = !ferror(f);
        ok = fclose(f) == 0 && ok;
    }
    if (!ok || rename(fresh, kept) != 0)
        errlogPrintf("ERROR simstageKeep: cannot write %s: %s\n", kept, strerror(errno));
}

const char *simstageKeep(const char *file)
{
    char port[64];
    double position;
    FILE *f;

    if (kept)
        return "the stages are kept in a file already";
    f = fopen(file, "r");
    if (!f && errno != ENOENT)
        return strerror(errno);
    if (f) {
        while (fscanf(f, "%63s %lf", port, &position) == 2)
            restore(port, position);
        fclose(f);
    }
    kept = epicsStrDup(file);
    fresh = mallocMustSucceed(strlen(file) + sizeof ".new", "simstageKeep");
    strcat(strcpy(fresh, file), ".new");
    simstageOnRest(save);
    return NULL;
}
