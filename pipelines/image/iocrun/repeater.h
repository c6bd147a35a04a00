/* A stand-in for the CA repeater of this host, for a client that needs none. */
#ifndef REPEATER_H
#define REPEATER_H

/*
 * While it lives, clients of this process see a CA repeater at a port of its own, and
 * none of them starts a caRepeater in the IOC's container. They ask for beacons there
 * and get none, which only clients need that search for servers.
 */
class QuietRepeater {
public:
    QuietRepeater();
    ~QuietRepeater();

private:
    int fd; // -1 if there is none; clients then use the host's repeater
    QuietRepeater(const QuietRepeater &);
    QuietRepeater &operator=(const QuietRepeater &);
};

#endif
