/* A stand-in for the CA repeater of this host, for a client that needs none. */
#ifndef REPEATER_H
#define REPEATER_H

/*
 * The CA repeater passes each IOC's beacons on to all clients of its host: with a
 * hundred IOCs on a node, a hundred clients would wake for each. Neither ioc-run
 * nor ioc-ask needs beacons, because they know the server they ask. While a
 * QuietRepeater lives, clients of this process register with it and hear nothing,
 * and none of them starts a caRepeater.
 */
class QuietRepeater {
public:
    QuietRepeater();
    ~QuietRepeater();
    /* Confirms the registrations that have come; a client tries each second until then. */
    void confirm();

private:
    int fd; // -1 if there is none; clients then use the host's repeater
    QuietRepeater(const QuietRepeater &);
    QuietRepeater &operator=(const QuietRepeater &);
};

#endif
