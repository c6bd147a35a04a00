/*
 * What a crash leaves in the IOC's log: the signal, the thread, and for each
 * frame the file, the place in it and the file's build id. The runtime image has
 * no symbols; the developer image of the same release makes function and line
 * of it:
 *
 *   addr2line -Cfipe FILE PLACE
 */
#include <csignal>
#include <cstdio>
#include <cstring>

#include "crash.h"

#ifdef __GLIBC__ // which the headers above say

#include <dlfcn.h>
#include <elf.h>
#include <execinfo.h>
#include <ucontext.h>
#include <unistd.h>

#include <epicsThread.h>

namespace {

#if __SIZEOF_POINTER__ == 8
typedef Elf64_Ehdr Header;
typedef Elf64_Phdr Part;
typedef Elf64_Nhdr Note;
#else
typedef Elf32_Ehdr Header;
typedef Elf32_Phdr Part;
typedef Elf32_Nhdr Note;
#endif

const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

const unsigned idBytes = 20;

// Where an address is.
struct Place {
    char file[256];
    unsigned long offset; // as the file itself counts
    char build[2 * idBytes + 1];
};

size_t padded(size_t n)
{
    return (n + 3) & ~static_cast<size_t>(3);
}

void readBuildId(const char *notes, size_t size, Place *place)
{
    while (size >= sizeof(Note)) {
        const Note *note = reinterpret_cast<const Note *>(notes);
        const char *name = notes + sizeof *note;
        const unsigned char *id = reinterpret_cast<const unsigned char *>(name) + padded(note->n_namesz);
        size_t whole = sizeof *note + padded(note->n_namesz) + padded(note->n_descsz);
        if (whole > size)
            return;
        if (note->n_type == NT_GNU_BUILD_ID && std::strncmp(name, "GNU", 4) == 0)
            for (unsigned i = 0; i < note->n_descsz && i < idBytes; i++)
                std::snprintf(place->build + 2 * i, 3, "%02x", id[i]);
        notes += whole;
        size -= whole;
    }
}

bool findPlace(const char *address, Place *place)
{
    Dl_info object;

    if (!dladdr(address, &object) || !object.dli_fbase)
        return false;
    const char *base = static_cast<const char *>(object.dli_fbase);
    const Header *header = reinterpret_cast<const Header *>(base);
    const Part *parts = reinterpret_cast<const Part *>(base + header->e_phoff);
    // A program may be linked for the place it is loaded at.
    const char *zero = header->e_type == ET_EXEC ? 0 : base;
    place->offset = address - zero;
    for (int i = 0; i < header->e_phnum; i++)
        if (parts[i].p_type == PT_NOTE)
            readBuildId(zero + parts[i].p_vaddr, parts[i].p_memsz, place);
    std::snprintf(place->file, sizeof place->file, "%s", object.dli_fname);
    if (place->file[0] != '/') { // the program, as it was called
        ssize_t n = readlink("/proc/self/exe", place->file, sizeof place->file - 1);
        place->file[n > 0 ? n : 0] = 0;
    }
    return true;
}

void say(const char *text)
{
    if (write(STDERR_FILENO, text, std::strlen(text)) < 0)
        return; // nobody listens
}

const void *crashedAt(void *context)
{
    const mcontext_t &machine = static_cast<ucontext_t *>(context)->uc_mcontext;
#if defined(__x86_64__)
    return reinterpret_cast<const void *>(machine.gregs[REG_RIP]);
#elif defined(__aarch64__)
    return reinterpret_cast<const void *>(machine.pc);
#else
    (void)machine;
    return 0;
#endif
}

void onCrash(int signal, siginfo_t *info, void *context)
{
    void *frames[64];
    char line[512];
    int n = backtrace(frames, 64), first = 0;

    for (unsigned i = 0; i < sizeof fatal / sizeof *fatal; i++)
        std::signal(fatal[i], SIG_DFL); // a crash in here ends the IOC
    std::snprintf(line, sizeof line, "ioc: crashed in thread %s: %s; frames, innermost first:\n",
                  epicsThreadGetNameSelf(), strsignal(signal));
    say(line);
    while (first < n && frames[first] != crashedAt(context))
        first++;
    for (int i = first < n ? first : 0; i < n; i++) {
        Place place = {};
        // Other frames have where they go on: the call is the byte before.
        if (!findPlace(static_cast<char *>(frames[i]) - (i == first ? 0 : 1), &place))
            continue;
        std::snprintf(line, sizeof line, "  %s 0x%lx build-id %s\n", place.file, place.offset, place.build);
        say(line);
    }
    if (info->si_code > 0)
        return; // to the instruction that crashed, which ends the IOC now
    raise(signal);
    _exit(128 + signal); // process 1 of a container ignores its own signals
}

} // namespace

void reportCrashes()
{
    void *frame;
    struct sigaction action;

    backtrace(&frame, 1); // loads what it needs while that is safe
    std::memset(&action, 0, sizeof action);
    action.sa_sigaction = onCrash;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    for (unsigned i = 0; i < sizeof fatal / sizeof *fatal; i++)
        sigaction(fatal[i], &action, NULL);
}

#else

void reportCrashes() {}

#endif
