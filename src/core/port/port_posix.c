/* The port for POSIX systems; the machine's figures are those of Linux and left
 * out elsewhere. */
#define _GNU_SOURCE
#include "core/port/machine_posix.h"
#include "core/port/port.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#ifdef __linux__
#include <sched.h>
#endif
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static uint64_t read_clock(clockid_t id)
{
    struct timespec t;
    if (clock_gettime(id, &t))
        return 0;
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t xr_port_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t xr_port_wall_clock(void)
{
    return read_clock(CLOCK_REALTIME);
}

void *xr_port_allocate(size_t size)
{
    return malloc(size);
}

void xr_port_free(void *memory)
{
    free(memory);
}

/* Two recorders of one file would destroy each other's log.  A lock of the open file: it holds between
 * recorders of one process as between processes (a lock of the process would not), and ends with the process,
 * however that ends.  Not flock, which others put on a file for their own ends (the Python package does).
 * A file system without locks lets everybody pass. */
static int lock_file(int handle, short type)
{
#ifdef F_OFD_SETLK
    struct flock lock;
    memset(&lock, 0, sizeof lock);
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    if (fcntl(handle, F_OFD_SETLK, &lock) && (errno == EAGAIN || errno == EACCES))
        return EBUSY;
#else
    (void)handle;
    (void)type;
#endif
    return 0;
}

/* Pipes and devices have no content to be destroyed. */
static int take_file(int handle)
{
    struct stat file;
    if (fstat(handle, &file) || !S_ISREG(file.st_mode))
        return 0;
    if (lock_file(handle, F_WRLCK))
        return EBUSY;
    return ftruncate(handle, 0) ? errno : 0;
}

int xr_port_open(const char *path, int *error)
{
    int handle;
    do {
        handle = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    } while (handle < 0 && errno == EINTR);
    *error = handle < 0 ? errno : take_file(handle);
    if (handle >= 0 && *error)
        close(handle);
    return *error ? -1 : handle;
}

int xr_port_in_use(void)
{
    return EBUSY;
}

_Static_assert(sizeof(sigset_t) <= sizeof((xr_port_quiet *)0)->mask, "xr_port_quiet.mask is too small");

/* Blocking a signal for the thread and consuming it afterwards changes nothing for the application: a handler
 * of its own is the process's, and not touched. */
void xr_port_quiet_begin(xr_port_quiet *quiet)
{
    sigset_t signals, pending, before;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    sigaddset(&signals, SIGXFSZ);
    sigemptyset(&pending);
    sigpending(&pending);
    quiet->pipe = sigismember(&pending, SIGPIPE) == 1;
    quiet->size = sigismember(&pending, SIGXFSZ) == 1;
    pthread_sigmask(SIG_BLOCK, &signals, &before);
    memcpy(quiet->mask, &before, sizeof before);
}

static void consume(int number, bool was_pending)
{
    sigset_t pending, one;
    int got;
    if (was_pending || sigpending(&pending) || sigismember(&pending, number) != 1)
        return;
    sigemptyset(&one);
    sigaddset(&one, number);
    sigwait(&one, &got);
}

void xr_port_quiet_end(const xr_port_quiet *quiet)
{
    sigset_t before;
    consume(SIGPIPE, quiet->pipe);
    consume(SIGXFSZ, quiet->size);
    memcpy(&before, quiet->mask, sizeof before);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static int write_all(int handle, const char *at, size_t size, size_t *written)
{
    while (*written < size) {
        const ssize_t n = write(handle, at + *written, size - *written);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        if (n == 0)
            return EIO;
        *written += (size_t)n;
    }
    return 0;
}

int xr_port_write(int handle, const void *data, size_t size, size_t *written)
{
    xr_port_quiet quiet;
    *written = 0;
    xr_port_quiet_begin(&quiet);
    const int error = write_all(handle, data, size, written);
    xr_port_quiet_end(&quiet);
    return error;
}

bool xr_port_take_back(int handle, uint64_t size)
{
    const off_t end = lseek(handle, 0, SEEK_CUR); /* a pipe has no place */
    return end >= 0 && size <= (uint64_t)end && ftruncate(handle, end - (off_t)size) == 0 &&
           lseek(handle, end - (off_t)size, SEEK_SET) >= 0;
}

static atomic_uint forks;

static void count_fork(void)
{
    atomic_fetch_add(&forks, 1);
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, count_fork);
}

/* A count, rather than getpid: that is a system call, and each call of a recorder asks. */
uint32_t xr_port_fork_count(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    return atomic_load_explicit(&forks, memory_order_relaxed);
}

xr_port_refusal xr_port_refusal_of(int error)
{
    switch (error) {
    case EAGAIN:
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK:
#endif
    case EINTR:
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return XR_PORT_NOT_NOW;
    case EBADF:
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
    case ENXIO:
    case ENODEV:
        return XR_PORT_GONE;
    default:
        return XR_PORT_FAILED;
    }
}

int xr_port_close(int handle)
{
    lock_file(handle, F_UNLCK); /* a forked child may hold the file open, too */
    return close(handle) && errno != EINTR ? errno : 0;
}

int xr_port_open_new(const char *path, int *error)
{
    int handle;
    do {
        handle = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (handle < 0 && errno == EINTR);
    *error = handle < 0 ? errno : 0;
    if (handle >= 0)
        lock_file(handle, F_WRLCK);
    return handle;
}

bool xr_port_is_there_already(int error)
{
    return error == EEXIST;
}

int xr_port_no_name(void)
{
    return ENAMETOOLONG;
}

bool xr_port_file_ends(const char *path, void *first, void *last, size_t size, uint64_t *file_size)
{
    struct stat status;
    /* Opening a FIFO would wait for its writer, or take its place. */
    if (stat(path, &status) || !S_ISREG(status.st_mode) || status.st_size < (off_t)size)
        return false;
    const int handle = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (handle < 0)
        return false;
    const bool all = pread(handle, first, size, 0) == (ssize_t)size &&
                     pread(handle, last, size, status.st_size - (off_t)size) == (ssize_t)size;
    close(handle);
    *file_size = (uint64_t)status.st_size;
    return all;
}

static int write_all_at(int handle, uint64_t offset, const char *at, size_t size)
{
    while (size) {
        const ssize_t n = pwrite(handle, at, size, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n ? errno : EIO;
        at += n;
        offset += (uint64_t)n;
        size -= (size_t)n;
    }
    return 0;
}

int xr_port_write_at(int handle, uint64_t offset, const void *data, size_t size)
{
    xr_port_quiet quiet;
    xr_port_quiet_begin(&quiet);
    const int error = write_all_at(handle, offset, data, size);
    xr_port_quiet_end(&quiet);
    return error;
}

int xr_port_truncate(int handle, uint64_t size)
{
    return ftruncate(handle, (off_t)size) ? errno : 0;
}

int xr_port_sync(int handle)
{
    if (fsync(handle) == 0 || errno == EINVAL || errno == EROFS || errno == ENOTSUP)
        return 0;
    return errno;
}

void xr_port_sync_folder(const char *path)
{
    char folder[4096] = ".";
    const char *slash = strrchr(path, '/');
    if (slash && (size_t)(slash - path) + 2 <= sizeof folder) {
        memcpy(folder, path, (size_t)(slash - path) + 1);
        folder[slash - path + 1] = 0;
    }
    const int handle = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle < 0)
        return;
    fsync(handle);
    close(handle);
}

int xr_port_remove(const char *path)
{
    return unlink(path) ? errno : 0;
}

void xr_port_list(const char *folder, void (*see)(void *user, const char *name, uint64_t size), void *user)
{
    DIR *directory = opendir(*folder ? folder : ".");
    if (!directory)
        return;
    for (const struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        struct stat status;
        if (fstatat(dirfd(directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(status.st_mode))
            see(user, entry->d_name, (uint64_t)status.st_size);
    }
    closedir(directory);
}

int xr_port_open_unnamed(const char *path, int *error)
{
    char name[4096 + 16];
    snprintf(name, sizeof name, "%.4090s.head", path);
    const int handle = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    *error = handle < 0 ? errno : 0;
    if (handle >= 0)
        unlink(name);
    return handle;
}

void *xr_port_map(int handle, size_t size)
{
    void *at = mmap(NULL, size, PROT_READ, MAP_SHARED, handle, 0);
    return at == MAP_FAILED ? NULL : at;
}

void xr_port_unmap(void *at, size_t size)
{
    munmap(at, size);
}

const char *xr_port_error_text(int error, char *buffer, size_t size)
{
#if defined(__GLIBC__) && defined(_GNU_SOURCE)
    return strerror_r(error, buffer, size);
#else
    return strerror_r(error, buffer, size) ? "unknown error" : buffer;
#endif
}

bool xr_port_is_no_space(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

int xr_port_no_space(void)
{
    return ENOSPC;
}

bool xr_port_random(void *out, size_t size)
{
    const int handle = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    if (handle < 0)
        return false;
    const ssize_t n = read(handle, out, size);
    close(handle);
    return n == (ssize_t)size;
}

/* The first line of a small file, without its newline. */
static void first_line(const char *path, char *out, size_t size)
{
    const int handle = open(path, O_RDONLY | O_CLOEXEC);
    if (handle < 0)
        return;
    const ssize_t n = read(handle, out, size - 1);
    close(handle);
    out[n > 0 ? n : 0] = 0;
    out[strcspn(out, "\n")] = 0;
}

void xr_port_machine_info(xr_port_machine *out)
{
    memset(out, 0, sizeof *out);
    struct utsname name;
    if (uname(&name) == 0) {
        snprintf(out->os, sizeof out->os, "%.30s %.60s", name.sysname, name.release);
        snprintf(out->arch, sizeof out->arch, "%.31s", name.machine);
    }
    xr_read_machine("", out);
    if (!out->device[0])
        gethostname(out->device, sizeof out->device - 1);
}

void xr_port_usage_open(xr_port_usage_files *files)
{
    files->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    files->temperature = open("/sys/class/thermal/thermal_zone0/temp", O_RDONLY | O_CLOEXEC);
    files->frequency = open("/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", O_RDONLY | O_CLOEXEC);
}

void xr_port_usage_close(xr_port_usage_files *files)
{
    int *const all[] = {&files->statm, &files->temperature, &files->frequency};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (*all[i] >= 0)
            close(*all[i]);
        *all[i] = -1;
    }
}

/* The number that the file begins with, after `skip` words. */
static bool read_number(int handle, int skip, uint64_t *out)
{
    char text[96];
    if (handle < 0)
        return false;
    const ssize_t n = pread(handle, text, sizeof text - 1, 0);
    if (n <= 0)
        return false;
    text[n] = 0;
    const char *at = text;
    for (; skip; skip--) {
        at = strchr(at, ' ');
        if (!at)
            return false;
        at++;
    }
    char *end;
    *out = strtoull(at, &end, 10);
    return end != at;
}

/* Processors that the affinity and, in a container, the share of processor time (cgroup v2) leave to this
 * process; 0: unknown. */
static uint32_t count_processors(void)
{
    uint32_t count = 0;
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        count = (uint32_t)CPU_COUNT(&set);
    char line[64] = "";
    unsigned long long quota, period;
    first_line("/sys/fs/cgroup/cpu.max", line, sizeof line); /* "max 100000", or "150000 100000" */
    if (sscanf(line, "%llu %llu", &quota, &period) == 2 && quota && period) {
        const unsigned long long whole = (quota + period - 1) / period;
        if (count && whole < count)
            count = (uint32_t)whole;
    }
#endif
    return count;
}

void xr_port_usage_read(const xr_port_usage_files *files, bool slow, xr_port_usage *out)
{
    uint64_t number;
    if (read_number(files->statm, 1, &number)) {
        out->has_rss = true;
        out->rss_bytes = number * (uint64_t)sysconf(_SC_PAGESIZE);
    }
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        out->has_peak_rss = true;
        out->peak_rss_bytes = (uint64_t)usage.ru_maxrss * 1024;
    }
    if (!slow)
        return;
    if (read_number(files->temperature, 0, &number)) {
        out->has_celsius = true;
        out->cpu_celsius = (double)number / 1000;
    }
    if (read_number(files->frequency, 0, &number)) {
        out->has_mhz = true;
        out->cpu_mhz = (double)number / 1000;
    }
    out->processors = count_processors();
}

struct xr_port_worker {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t conditions[2];
    void (*function)(void *argument);
    void *argument;
};

size_t xr_port_worker_size(void)
{
    return sizeof(xr_port_worker);
}

static void *run_worker(void *worker)
{
    xr_port_worker *w = worker;
#if defined(__linux__) && defined(SCHED_BATCH)
    /* When its sink wakes it, it waits for its turn: an inference is not interrupted for it. */
    const struct sched_param none = {0};
    if (sched_getscheduler(0) == SCHED_OTHER)
        sched_setscheduler(0, SCHED_BATCH, &none);
#endif
    w->function(w->argument);
    return NULL;
}

int xr_port_worker_start(xr_port_worker *worker, void (*function)(void *argument), void *argument)
{
    worker->function = function;
    worker->argument = argument;
    pthread_mutex_init(&worker->mutex, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&worker->conditions[XR_PORT_WORK], &monotonic);
    pthread_cond_init(&worker->conditions[XR_PORT_SPACE], &monotonic);
    pthread_condattr_destroy(&monotonic);
    /* The application's signals are the application's: the worker takes none. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&worker->thread, NULL, run_worker, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

void xr_port_worker_join(xr_port_worker *worker)
{
    pthread_join(worker->thread, NULL);
    pthread_cond_destroy(&worker->conditions[XR_PORT_WORK]);
    pthread_cond_destroy(&worker->conditions[XR_PORT_SPACE]);
    pthread_mutex_destroy(&worker->mutex);
}

void xr_port_lock(xr_port_worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
}

void xr_port_unlock(xr_port_worker *worker)
{
    pthread_mutex_unlock(&worker->mutex);
}

bool xr_port_wait(xr_port_worker *worker, xr_port_condition condition, uint64_t most_ns)
{
    if (!most_ns)
        return pthread_cond_wait(&worker->conditions[condition], &worker->mutex) == 0;
    const uint64_t end = xr_port_now() + most_ns;
    const struct timespec until = {(time_t)(end / 1000000000u), (long)(end % 1000000000u)};
    return pthread_cond_timedwait(&worker->conditions[condition], &worker->mutex, &until) == 0;
}

void xr_port_signal(xr_port_worker *worker, xr_port_condition condition)
{
    pthread_cond_signal(&worker->conditions[condition]);
}

uint64_t xr_port_process(void)
{
    return (uint64_t)getpid();
}

void xr_port_at_exit(void (*function)(void))
{
    atexit(function);
}
