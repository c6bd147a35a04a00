/* How ioc-run and ioc-ask set up a client of pvAccess. */
#ifndef OWNHOST_H
#define OWNHOST_H

#include <errlog.h>
#include <pv/configuration.h>

#include "listeners.h"

/*
 * Returns the configuration of a client that searches on this host alone, and
 * silences what the library reports: it would stand among the lines of the IOC,
 * or among the answers.
 */
inline epics::pvAccess::Configuration::shared_pointer ownHost()
{
    eltc(0);
    return epics::pvAccess::ConfigurationBuilder()
        .add("EPICS_PVA_ADDR_LIST", searchAddresses())
        .add("EPICS_PVA_AUTO_ADDR_LIST", "NO")
        .push_map()
        .build();
}

#endif
