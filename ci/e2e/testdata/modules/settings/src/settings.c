/* A subroutine: the major version of libyaml, which a Debian package brings. */
#include <epicsExport.h>
#include <registryFunction.h>
#include <subRecord.h>
#include <yaml.h>

static long settingsYAML(subRecord *record)
{
    int major, minor, patch;

    yaml_get_version(&major, &minor, &patch);
    record->val = major * 100 + minor;
    return 0;
}
epicsRegisterFunction(settingsYAML);
