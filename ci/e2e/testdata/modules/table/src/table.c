/* Loads a calibration table in the start-up script: tableLoad "file", or from a
 * device that sends its own to whoever connects: tableDevice "host", port. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <epicsExport.h>
#include <epicsThread.h>
#include <iocsh.h>
#include <registryFunction.h>
#include <subRecord.h>

static int rows;

static long tableRows(subRecord *record)
{
    record->val = rows;
    return 0;
}
epicsRegisterFunction(tableRows);

static void readRows(const char *command, const char *name, FILE *file)
{
    double x, y;

    if (!file) {
        fprintf(stderr, "ERROR %s %s: %s\n", command, name, strerror(errno));
        iocshSetError(-1);
        return;
    }
    while (fscanf(file, "%lf %lf", &x, &y) == 2)
        rows++;
    fclose(file);
}

static void load(const iocshArgBuf *args)
{
    readRows("tableLoad", args[0].sval, fopen(args[0].sval, "r"));
}

/* A device may take its time to be there. */
static FILE *reach(const char *host, int port)
{
    struct sockaddr_in at = {0};
    int tries, fd = -1;

    at.sin_family = AF_INET;
    at.sin_port = htons((unsigned short)port);
    inet_pton(AF_INET, host, &at.sin_addr);
    for (tries = 0; tries < 50; tries++) {
        fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
            return fdopen(fd, "r");
        close(fd);
        epicsThreadSleep(0.2);
    }
    return NULL;
}

static void device(const iocshArgBuf *args)
{
    readRows("tableDevice", args[0].sval, reach(args[0].sval, args[1].ival));
}

static const iocshArg fileArg = {"file", iocshArgString};
static const iocshArg *const loadArgs[] = {&fileArg};
static const iocshFuncDef loadDef = {"tableLoad", 1, loadArgs, "Loads a calibration table.\n"};

static const iocshArg hostArg = {"host", iocshArgString};
static const iocshArg portArg = {"port", iocshArgInt};
static const iocshArg *const deviceArgs[] = {&hostArg, &portArg};
static const iocshFuncDef deviceDef = {"tableDevice", 2, deviceArgs, "Loads a device's table.\n"};

static void tableRegister(void)
{
    iocshRegister(&deviceDef, device);
    iocshRegister(&loadDef, load);
}
epicsExportRegistrar(tableRegister);
