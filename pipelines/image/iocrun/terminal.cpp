#include "terminal.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static termios before;    // of ioc-run's own terminal
static bool begun = false; // the last line of the output has no end yet, as a prompt has none

static void fail(const char *what)
{
    std::fprintf(stderr, "ioc-run: %s: %s\n", what, std::strerror(errno));
    std::exit(EXIT_FAILURE);
}

// Writes to standard output, which waits for whoever reads it.
static void print(const char *text, size_t size)
{
    if (size > 0)
        begun = text[size - 1] != '\n';
    while (size > 0) {
        ssize_t n = write(STDOUT_FILENO, text, size);
        if (n < 0 && errno == EAGAIN) {
            pollfd wait = {STDOUT_FILENO, POLLOUT, 0};
            poll(&wait, 1, -1);
        } else if (n < 0 && errno != EINTR) {
            return; // nobody reads the log
        } else if (n > 0) {
            text += n;
            size -= size_t(n);
        }
    }
}

void report(const std::string &line)
{
    std::string end = isatty(STDOUT_FILENO) ? "\r\n" : "\n";
    std::string whole = (begun ? end : "") + "ioc-run: " + line + end;
    print(whole.data(), whole.size());
}

Terminal::Terminal() : master(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)), in(STDIN_FILENO), outer(raw())
{
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
        fail("no terminal for the IOC");
    fcntl(master, F_SETFL, O_NONBLOCK);
    termios mode;
    if (tcgetattr(master, &mode) != 0)
        fail("no terminal for the IOC");
    mode.c_lflag &= ~tcflag_t(ECHO);         // of what is typed before the shell reads it
    mode.c_iflag &= ~tcflag_t(IXON | IXOFF); // Ctrl-S would stop whatever prints
    if (!isatty(STDOUT_FILENO)) {
        mode.c_oflag &= ~tcflag_t(OPOST); // a log has no carriage returns
        setenv("TERM", "dumb", 1);
    }
    tcsetattr(master, TCSANOW, &mode);
    resize();
}

Terminal::~Terminal()
{
    restore();
}

// Lets ioc-run's own terminal pass on each key as it is: the IOC's does the rest.
bool Terminal::raw()
{
    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return false;
    termios plain = before;
    cfmakeraw(&plain);
    tcsetattr(STDIN_FILENO, TCSANOW, &plain);
    return true;
}

void Terminal::restore()
{
    if (outer)
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

pid_t Terminal::start(char *const command[], int markFd)
{
    const char *name = ptsname(master);
    pid_t pid = name ? fork() : -1;
    if (pid < 0)
        fail("the IOC can't be started");
    if (pid > 0)
        return pid;
    setsid();
    int slave = open(name, O_RDWR);
    if (slave < 0)
        fail("no terminal for the IOC");
    ioctl(slave, TIOCSCTTY, 0);
    for (int fd = 0; fd < 3; fd++)
        dup2(slave, fd);
    if (slave > 2)
        close(slave);
    fcntl(markFd, F_SETFD, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int signal : {SIGINT, SIGQUIT, SIGHUP, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU})
        std::signal(signal, SIG_DFL);
    execvp(command[0], command);
    std::fprintf(stderr, "ioc-run: %s: %s\n", command[0], std::strerror(errno));
    _exit(127);
}

void Terminal::copyOutput()
{
    char buffer[4096];
    for (int i = 0; i < 64; i++) {
        ssize_t n = read(master, buffer, sizeof buffer);
        if (n > 0)
            print(buffer, size_t(n));
        else if (n == 0 || errno != EINTR)
            return; // nothing more for now, or ever
    }
}

void Terminal::copyInput()
{
    char keys[256];
    ssize_t n = read(in, keys, sizeof keys);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        in = -1;
        return;
    }
    for (ssize_t i = 0; i < n; i++)
        if (!keys[i] || !std::strchr("\x03\x04\x1a\x1c", keys[i]))
            pending += keys[i];
    flush();
}

void Terminal::flush()
{
    while (!pending.empty()) {
        ssize_t n = write(master, pending.data(), pending.size());
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            pending.clear(); // the IOC has no terminal any more
        if (n <= 0)
            return;
        pending.erase(0, size_t(n));
    }
}

void Terminal::type(const std::string &lines)
{
    // Away with what somebody has begun to type: Ctrl-U does it in a plain
    // terminal, and with readline from the end of the line, where Ctrl-E goes.
    termios mode;
    bool plain = tcgetattr(master, &mode) == 0 && (mode.c_lflag & ICANON);
    pending = (plain ? "\x15" : "\x05\x15") + lines;
    flush();
}

void Terminal::echo()
{
    termios mode;
    // A shell with readline shows it itself, and reads without ICANON.
    if (tcgetattr(master, &mode) == 0 && (mode.c_lflag & ICANON)) {
        mode.c_lflag |= ECHO;
        tcsetattr(master, TCSANOW, &mode);
    }
}

void Terminal::resize()
{
    winsize size;
    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        ioctl(master, TIOCSWINSZ, &size);
}
