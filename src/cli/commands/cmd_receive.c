/* exray receive: a log from a link (exray/link.h). */
#define _DEFAULT_SOURCE 1 /* termios' speeds */
#include "cli/command_line.h"
#include "cli/fail.h"
#include "cli/stopped.h"
#include "log/receive/receive.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

typedef struct receive_options {
    const char *output;
    uint64_t baud; /* 0: as it is */
} receive_options;

/* ---- The logs ----------------------------------------------------------------------- */

enum { MOST_PATH = 4096, MOST_NAMES = 10000 };

typedef struct log_files {
    const char *wanted;   /* -o */
    char path[MOST_PATH]; /* of the open log */
} log_files;

/* "edge.mcap", "edge-2.mcap", ...; false: too long. */
static bool numbered(char out[MOST_PATH], const char *wanted, unsigned number)
{
    const char *slash = strrchr(wanted, '/'), *dot = strrchr(slash ? slash : wanted, '.');
    const int stem = (int)(dot ? (size_t)(dot - wanted) : strlen(wanted));
    const int size = number == 1
                         ? snprintf(out, MOST_PATH, "%s", wanted)
                         : snprintf(out, MOST_PATH, "%.*s-%u%s", stem, wanted, number, dot ? dot : "");
    return size > 0 && size < MOST_PATH;
}

/* A log that is there stays: the next free name is taken. */
static FILE *open_new(log_files *o)
{
    struct stat there;
    for (unsigned number = 1; number < MOST_NAMES && numbered(o->path, o->wanted, number); number++) {
        if (number == 1 && stat(o->path, &there) == 0 && !S_ISREG(there.st_mode))
            return fopen(o->path, "wb"); /* a device or a pipe */
        const int fd = open(o->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0)
            return fdopen(fd, "wb");
        if (errno != EEXIST)
            return NULL;
    }
    errno = EEXIST;
    return NULL;
}

static FILE *open_log(void *context, uint64_t number)
{
    log_files *o = context;
    const bool to_output = strcmp(o->wanted, "-") == 0;
    if (to_output && number > 0) {
        xr_fail("the sender began another log, and standard output has room for one; give -o a file's name");
        return NULL;
    }
    snprintf(o->path, sizeof o->path, "%s", o->wanted);
    FILE *file = to_output ? stdout : open_new(o);
    if (!file)
        xr_fail("cannot write %s: %s", o->path, strerror(errno));
    else
        fprintf(stderr, "receiving into %s\n", to_output ? "standard output" : o->path);
    return file;
}

static bool close_log(void *context, FILE *file, bool good)
{
    const log_files *o = context;
    const bool closed = file == stdout ? fflush(file) == 0 : fclose(file) == 0;
    if (good && !closed)
        xr_fail("cannot write %s: %s", o->path, strerror(errno));
    return closed;
}

/* ---- The link ----------------------------------------------------------------------- */

static const struct {
    uint32_t baud;
    speed_t speed;
} speeds[] = {
    {9600, B9600},       {19200, B19200},     {38400, B38400},
    {57600, B57600},     {115200, B115200},   {230400, B230400},
#ifdef B460800
    {460800, B460800},   {921600, B921600},
#endif
#ifdef B1000000
    {1000000, B1000000}, {2000000, B2000000},
#endif
#ifdef B3000000
    {3000000, B3000000}, {4000000, B4000000},
#endif
};

/* NULL: none of them. */
static const speed_t *speed_of(uint64_t baud)
{
    for (size_t i = 0; i < sizeof speeds / sizeof *speeds; i++)
        if (speeds[i].baud == baud)
            return &speeds[i].speed;
    return NULL;
}

/* A serial line passes bytes on as they are; false: printed why not. */
static bool set_line(int fd, const char *path, uint64_t baud)
{
    struct termios line;
    if (!isatty(fd))
        return !baud || (xr_fail("--baud: %s is no serial line", path), false);
    const speed_t *speed = baud ? speed_of(baud) : NULL;
    bool good = tcgetattr(fd, &line) == 0;
    cfmakeraw(&line);
    line.c_cflag |= CLOCAL | CREAD;
    if (baud && !speed)
        return xr_fail("--baud %" PRIu64 ": the system has no such speed", baud), false;
    if (speed)
        good = good && cfsetispeed(&line, *speed) == 0 && cfsetospeed(&line, *speed) == 0;
    if (!good || tcsetattr(fd, TCSANOW, &line) != 0)
        return xr_fail("cannot set up the line %s: %s", path, strerror(errno)), false;
    return true;
}

/* -1: printed why not. */
static int open_link(const char *from, uint64_t baud)
{
    if (strcmp(from, "-") == 0)
        return set_line(STDIN_FILENO, "standard input", baud) ? STDIN_FILENO : -1;
    const int fd = open(from, O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        xr_fail("cannot open %s: %s", from, strerror(errno));
        return -1;
    }
    if (set_line(fd, from, baud))
        return fd;
    close(fd);
    return -1;
}

/* ---- Until it ends ------------------------------------------------------------------ */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Reads until the link ends or a signal comes.  False, with `error` filled or printed. */
static bool receive_all(int fd, const char *from, xr_receiver *r, exray_error *error)
{
    enum { FLUSH_MS = 1000 };
    static uint8_t bytes[64 << 10];
    int64_t flushed = now_ms();
    bool good = true;
    while (good && !xr_stopped()) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        const int ready = poll(&wait, 1, FLUSH_MS);
        const ssize_t got = ready > 0 ? read(fd, bytes, sizeof bytes) : ready;
        if (got < 0 && errno != EINTR && errno != EAGAIN) {
            xr_fail("cannot read %s: %s; what has come is kept", from, strerror(errno));
            return false;
        }
        if (ready > 0 && got == 0)
            break; /* the end */
        if (got > 0)
            good = xr_receiver_take(r, bytes, (size_t)got, error);
        if (good && now_ms() - flushed >= FLUSH_MS) {
            good = xr_receiver_flush(r, error);
            flushed = now_ms();
        }
    }
    return good;
}

static int report(const xr_received *c, const char *from)
{
    if (!c->logs)
        return xr_fail("no packet of a log came from %s (%" PRIu64
                       " were damaged); the sender's sink is exray_link_write "
                       "(exray/link.h)",
                       from, c->bad_packets);
    fprintf(stderr, "%" PRIu64 " messages received in %" PRIu64 " packets; lost %" PRIu64 " record%s",
            c->messages, c->packets, c->lost_records, c->lost_records == 1 ? "" : "s");
    if (c->bad_packets)
        fprintf(stderr, ", %" PRIu64 " damaged packet%s", c->bad_packets, c->bad_packets == 1 ? "" : "s");
    if (c->unplaced)
        fprintf(stderr, ", %" PRIu64 " message%s of channels that were never described", c->unplaced,
                c->unplaced == 1 ? "" : "s");
    fputc('\n', stderr);
    return XR_EXIT_OK;
}

static int receive(const char *from, const receive_options *o)
{
    log_files out = {.wanted = o->output};
    const xr_receiver_files files = {&out, open_log, close_log};
    exray_error error = {.status = EXRAY_OK};
    const int fd = open_link(from, o->baud);
    if (fd < 0)
        return XR_EXIT_FAILED;
    xr_stop_by_signal(); /* Ctrl-C ends the log, not the program */
    xr_receiver *r = xr_receiver_new(&files);
    bool good = r != NULL;
    if (!r)
        xr_fail("out of memory");
    good = good && receive_all(fd, from, r, &error);
    good = r && xr_receiver_end(r, good ? &error : NULL) && good;
    if (!good && error.status)
        xr_fail_error(&error);
    const xr_received count = r ? xr_receiver_count(r) : (xr_received){0};
    xr_receiver_free(r);
    if (fd != STDIN_FILENO)
        close(fd);
    return good ? report(&count, from) : XR_EXIT_FAILED;
}

static const xr_option_group options = {
    .options = (const xr_option[]){
        {.name = "output",
         .letter = 'o',
         .value = "F",
         XR_INTO(text, receive_options, output),
         .text =
             "the log; where it is there, or the sender begins another: F-2, F-3, ...; - is standard output"},
        {.name = "baud",
         .value = "N",
         .kind = XR_VALUE_TEXT,
         XR_INTO(count, receive_options, baud),
         .text = "the speed of a serial line (as it is set)"},
        {0},
    }};

static int run(const xr_call *call)
{
    receive_options o = {0};
    const char *from;
    int status = xr_parse_one_operand(call, &o, "link", &from);
    if (status != XR_EXIT_OK)
        return status;
    if (!o.output)
        return xr_usage_error(call->command, "say where to write: -o OUT.mcap");
    return receive(from, &o);
}

const xr_command xr_command_receive = {
    .name = "receive",
    .summary = "write the log that a device sends over a link",
    .synopsis = "DEVICE|FILE|- -o OUT.mcap [--baud N]",
    .description =
        "Reads the packets that exray_link_write (exray/link.h) sends over a serial line, a pipe or any "
        "other "
        "stream of bytes, and writes a log, until the link ends or Ctrl-C. Bytes that are lost or changed "
        "cost the "
        "records they are of: these are counted and told in the log (/event, kind gap), never believed. What "
        "has "
        "come is in the file a second later, whatever happens then. No log that is there is overwritten.",
    .groups = (const xr_option_group *const[]){&options, NULL},
    .example = "exray receive /dev/ttyUSB0 --baud 921600 -o edge.mcap\n"
               "nc -l 5000 | exray receive - -o edge.mcap",
    .run = run,
};
