#define _POSIX_C_SOURCE 200809L
#include "checks/plugin/subprocess.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void xr_reply_add(xr_reply *b, const void *data, size_t size)
{
    if (b->failed || size > XR_REPLY_LIMIT - b->size) {
        b->failed = true;
        return;
    }
    if (b->size + size > b->room) {
        size_t room = 2 * (b->size + size) + 256;
        uint8_t *grown = realloc(b->data, room);
        if (!grown) {
            b->failed = true;
            return;
        }
        b->data = grown;
        b->room = room;
    }
    if (size)
        memcpy(b->data + b->size, data, size);
    b->size += size;
}

/* ---- The child -------------------------------------------------------------------- */

static bool write_all(int fd, const void *data, size_t size)
{
    for (const char *at = data; size;) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

static void set_limits(double seconds)
{
    static const int ordinary[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPIPE, SIGTERM, SIGALRM};
    for (size_t i = 0; i < sizeof ordinary / sizeof *ordinary; i++)
        signal(ordinary[i], SIG_DFL);
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && SIZE_MAX > 0xFFFFFFFF
    /* A plug-in that allocates without end must not use up the machine's memory. */
    struct rlimit memory = {(rlim_t)8 << 30, (rlim_t)8 << 30};
    setrlimit(RLIMIT_DATA, &memory);
#endif
    alarm((unsigned)seconds + 5); /* in case the parent ended meanwhile */
}

static void child_main(int out, double seconds, void (*work)(void *, xr_reply *), void *user)
{
    setpgid(0, 0);
    set_limits(seconds);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    xr_reply reply = {0};
    work(user, &reply);
    uint64_t size = reply.failed ? UINT64_MAX : reply.size;
    bool sent =
        write_all(out, &size, sizeof size) && (reply.failed || write_all(out, reply.data, reply.size));
    /* Not exit(): the parent's buffers must not be flushed twice. */
    _exit(sent ? 0 : 1);
}

/* ---- The parent ------------------------------------------------------------------- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef enum arrival { ARRIVED, TOO_LATE, TOO_MUCH, CUT } arrival;

/* Whether the reply, which begins with its size, has arrived in full. */
static bool is_whole(const xr_reply *b, uint64_t *size)
{
    if (b->size < sizeof *size)
        return false;
    memcpy(size, b->data, sizeof *size);
    return *size > XR_REPLY_LIMIT || b->size - sizeof *size >= *size;
}

/* Reads until the reply is complete or the child has ended: a grandchild may keep the pipe open. */
static arrival receive(int in, pid_t child, double deadline, xr_reply *b, int *ended)
{
    uint64_t size = 0;
    char block[65536];
    bool gone = false;
    while (!is_whole(b, &size)) {
        double left = deadline - now();
        if (left <= 0)
            return TOO_LATE;
        struct pollfd p = {.fd = in, .events = POLLIN};
        int ready = poll(&p, 1, gone ? 0 : left < 0.1 ? (int)(1000 * left) + 1 : 100);
        ssize_t n = ready > 0 ? read(in, block, sizeof block) : -1;
        if (n > 0) {
            xr_reply_add(b, block, (size_t)n);
            if (b->failed)
                return TOO_MUCH;
        } else if (n == 0 || (gone && ready <= 0)) {
            return CUT;
        } else if (*ended < 0) {
            int status;
            if (waitpid(child, &status, WNOHANG) == child) {
                *ended = status;
                gone = true;
            }
        }
    }
    return size > XR_REPLY_LIMIT ? TOO_MUCH : ARRIVED;
}

/* Ends the child and all that it started, and returns its status.  Until `deadline` it may end by
 * itself. */
static int reap(pid_t child, double deadline, bool *in_time)
{
    int status = 0;
    pid_t done = 0;
    while (now() < deadline && (done = waitpid(child, &status, WNOHANG)) == 0)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    *in_time = done == child;
    setpgid(child, child); /* the child may not have done so yet */
    if (kill(-child, SIGKILL) != 0 && done != child)
        kill(child, SIGKILL);
    while (done != child && (done = waitpid(child, &status, 0)) < 0 && errno == EINTR)
        continue;
    return status;
}

static void describe_end(arrival how, int status, double seconds, char *why, size_t size)
{
    if (how == TOO_LATE)
        snprintf(why, size, "did not return within %g s", seconds);
    else if (how == TOO_MUCH)
        snprintf(why, size, "reported more than %d MiB", XR_REPLY_LIMIT >> 20);
    else if (WIFSIGNALED(status))
        snprintf(why, size, "crashed: %s", strsignal(WTERMSIG(status)));
    else
        snprintf(why, size, "ended the process (status %d) instead of returning", WEXITSTATUS(status));
}

bool xr_subprocess_run(double seconds, void (*work)(void *user, xr_reply *reply), void *user, xr_reply *reply,
                       char *why, size_t why_size)
{
    *reply = (xr_reply){0};
    int ends[2];
    if (pipe(ends) != 0) {
        snprintf(why, why_size, "could not be started: %s", strerror(errno));
        return false;
    }
    fflush(NULL);
    double deadline = now() + seconds;
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        child_main(ends[1], seconds, work, user);
    }
    close(ends[1]);
    if (child < 0) {
        snprintf(why, why_size, "could not be started: %s", strerror(errno));
        close(ends[0]);
        return false;
    }
    int status = -1;
    arrival how = receive(ends[0], child, deadline, reply, &status);
    close(ends[0]);
    bool in_time = true;
    if (status < 0)
        status = reap(child, how == CUT ? deadline : 0, &in_time);
    else
        kill(-child, SIGKILL); /* it has ended; processes that it started may not have */
    if (how == CUT && !in_time)
        how = TOO_LATE; /* it closed the pipe, but did not end */
    if (how == ARRIVED) {
        reply->size -= sizeof(uint64_t);
        memmove(reply->data, reply->data + sizeof(uint64_t), reply->size);
        return true;
    }
    describe_end(how, status, seconds, why, why_size);
    free(reply->data);
    *reply = (xr_reply){0};
    return false;
}
