/* The TCP ports at which the IOC serves. */
#ifndef LISTENERS_H
#define LISTENERS_H

#include <string>

/*
 * Returns "address:port" of the IOC's server of Channel Access, or of pvAccess;
 * empty as long as there is none. It is found among the sockets of the processes
 * in this container, so that it is this IOC's on a host with many, whatever
 * ports and interfaces its start-up script has chosen.
 */
std::string findServer(bool pva);

/*
 * Lets the Channel Access clients of this process search at one server alone, over
 * TCP: "address:port". Called before their context is created.
 */
void searchOnlyAt(const std::string &server);

/*
 * Returns where to search for PVs of this host's pvAccess servers: the addresses
 * of its interfaces, as EPICS_PVA_ADDR_LIST has them. What is sent there does not
 * leave the host, and the server that gets it passes it on to the others.
 */
std::string searchAddresses();

#endif
