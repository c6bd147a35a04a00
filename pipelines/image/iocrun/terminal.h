/* The IOC's own terminal, which ioc-run holds the other end of. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <string>

#include <poll.h>
#include <sys/types.h>

/*
 * A terminal of the IOC's own: nothing that happens to ioc-run's standard input
 * reaches the IOC but text. Ctrl-C, Ctrl-D, Ctrl-\ and Ctrl-Z, which would stop
 * an IOC, and the end of the input are dropped.
 */
class Terminal {
public:
    Terminal();
    ~Terminal();

    /* Starts a program in the terminal, with markFd open in it too. Returns its process. */
    pid_t start(char *const command[], int markFd);

    /* The descriptor of the IOC's terminal, and the events of poll to wait for on it. */
    int fd() const { return master; }
    short events() const { return short(POLLIN | (pending.empty() ? 0 : POLLOUT)); }
    /* The descriptor to wait for input on; -1 after its end, and while the IOC takes none. */
    int input() const { return pending.empty() ? in : -1; }

    /* Copies what the IOC printed to standard output, but no more than some: an
     * IOC that never stops printing must not keep ioc-run from all else. */
    void copyOutput();
    /* Copies from standard input to the IOC what can't stop it. */
    void copyInput();
    /* Passes on what the IOC has not taken yet. */
    void flush();
    /* Types lines into the IOC shell, instead of what somebody may have begun to type. */
    void type(const std::string &lines);
    /* Shows from now on what is typed where the shell does not do so itself. */
    void echo();
    /* Gives the IOC the size of the window that somebody attached with. */
    void resize();

private:
    int master, in;
    bool outer;          // standard input is a terminal
    std::string pending; // for the IOC, which has not taken it yet
    bool raw();
    void restore();
};

/* Prints a line of ioc-run's own to the IOC's log, below a line that the IOC has only begun. */
void report(const std::string &line);

#endif
