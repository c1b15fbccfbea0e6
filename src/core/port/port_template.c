/* A port to copy: a device without files, threads, a heap and an operating system.
 *
 * It compiles as it is and links with exray_recorder_open_device and the caller's memory
 * (config.memory).  What a port MUST have is xr_port_now; the other functions may stay as they are
 * until the part that needs them is used.  A program that leaves out unused functions
 * (-ffunction-sections, -Wl,--gc-sections) has nothing of the rest.
 *
 * Which function is called by what:
 *
 *   time       xr_port_now, xr_port_wall_clock          every recorder
 *   memory     xr_port_allocate, xr_port_free           a recorder without config.memory
 *   errors     xr_port_error_text, xr_port_is_no_space  every recorder whose sink fails
 *              xr_port_refusal_of                       the same
 *              xr_port_no_space                         exray_recorder_open_memory
 *   files      xr_port_open, _write, _close, ...        exray_recorder_open_file
 *   map        xr_port_map_new, _read_first, _rename     the part `flight`, where config.flight.file is set
 *   signals    xr_port_quiet_*, xr_port_fork_count      exray_recorder_open_file, _callback, _memory
 *   machine    xr_port_random, _machine_info, _usage_*  the part `machine`
 *   thread     xr_port_worker_*, _lock, _wait, ...      the part `async`
 *
 * Threads: a recorder calls the port on the thread that calls the recorder; the ring's writer
 * thread calls the functions of errors and files, and of the thread. */
#include "core/port/port.h"

#include <string.h>

/* ---- Time ---- */

/* Nanoseconds since any moment, never going back.  On a Cortex-M with a clock of F Hz: count the
 * overflows of SysTick or of the cycle counter (DWT->CYCCNT) in 64 bits, times 1000000000 / F.
 * Here: a count of calls, so that records keep their order at least. */
uint64_t xr_port_now(void)
{
    static uint64_t calls;
    return ++calls;
}

/* Of a real-time clock, if there is one: ns since 1970-01-01 UTC. */
uint64_t xr_port_wall_clock(void)
{
    return 0;
}

/* ---- Memory ---- */

void *xr_port_allocate(size_t size)
{
    (void)size;
    return NULL;
}

void xr_port_free(void *memory)
{
    (void)memory;
}

/* ---- Errors: the numbers are those that the application's sink returns ---- */

const char *xr_port_error_text(int error, char *buffer, size_t size)
{
    (void)error;
    (void)buffer;
    (void)size;
    return "the sink failed";
}

enum { NO_SPACE = 28 }; /* ENOSPC, as many systems number it */

bool xr_port_is_no_space(int error)
{
    return error == NO_SPACE;
}

int xr_port_no_space(void)
{
    return NO_SPACE;
}

/* What the sink says of a link that is cut for good is XR_PORT_GONE. */
xr_port_refusal xr_port_refusal_of(int error)
{
    return error == NO_SPACE ? XR_PORT_NOT_NOW : XR_PORT_FAILED;
}

/* ---- Files ---- */

int xr_port_open(const char *path, int *error)
{
    (void)path;
    *error = 1;
    return -1;
}

int xr_port_in_use(void)
{
    return 2;
}

int xr_port_write(int handle, const void *data, size_t size, size_t *written)
{
    (void)handle;
    (void)data;
    (void)size;
    *written = 0;
    return 1;
}

bool xr_port_take_back(int handle, uint64_t size)
{
    (void)handle;
    (void)size;
    return false;
}

int xr_port_close(int handle)
{
    (void)handle;
    return 0;
}

int xr_port_open_new(const char *path, int *error)
{
    return xr_port_open(path, error);
}

bool xr_port_is_there_already(int error)
{
    (void)error;
    return false;
}

int xr_port_no_name(void)
{
    return 1;
}

bool xr_port_file_ends(const char *path, void *first, void *last, size_t size, uint64_t *file_size)
{
    (void)path;
    (void)first;
    (void)last;
    (void)size;
    (void)file_size;
    return false;
}

/* An error here costs nothing but what waits in the open chunk, where the process ends before it is closed.
 */
int xr_port_write_at(int handle, uint64_t offset, const void *data, size_t size)
{
    (void)handle;
    (void)offset;
    (void)data;
    (void)size;
    return 1;
}

int xr_port_truncate(int handle, uint64_t size)
{
    (void)handle;
    (void)size;
    return 1;
}

int xr_port_sync(int handle)
{
    (void)handle;
    return 0;
}

void xr_port_sync_folder(const char *path)
{
    (void)path;
}

int xr_port_remove(const char *path)
{
    (void)path;
    return 1;
}

void xr_port_list(const char *folder, void (*see)(void *user, const char *name, uint64_t size), void *user)
{
    (void)folder;
    (void)see;
    (void)user;
}

int xr_port_open_unnamed(const char *path, int *error)
{
    (void)path;
    *error = 1;
    return -1;
}

void *xr_port_map(int handle, size_t size)
{
    (void)handle;
    (void)size;
    return NULL;
}

void xr_port_unmap(void *at, size_t size)
{
    (void)at;
    (void)size;
}

/* ---- A mapped file: memory that outlives a reset, such as a battery-backed RAM, would do as well ---- */

void *xr_port_map_new(const char *path, size_t size, int *error)
{
    (void)path;
    (void)size;
    *error = 1;
    return NULL;
}

size_t xr_port_read_first(const char *path, void *out, size_t size)
{
    (void)path;
    (void)out;
    (void)size;
    return 0;
}

int xr_port_rename(const char *from, const char *to)
{
    (void)from;
    (void)to;
    return 1;
}

/* ---- Signals and processes: here are none ---- */

void xr_port_quiet_begin(xr_port_quiet *quiet)
{
    (void)quiet;
}

void xr_port_quiet_end(const xr_port_quiet *quiet)
{
    (void)quiet;
}

uint32_t xr_port_fork_count(void)
{
    return 0;
}

/* ---- The machine ---- */

/* Of a hardware generator of random numbers: then each log has a log_id of its own. */
bool xr_port_random(void *out, size_t size)
{
    (void)out;
    (void)size;
    return false;
}

void xr_port_machine_info(xr_port_machine *out)
{
    memset(out, 0, sizeof *out);
    memcpy(out->arch, "armv7e-m", sizeof "armv7e-m");
}

void xr_port_usage_open(xr_port_usage_files *files)
{
    *files = (xr_port_usage_files){-1, -1, -1};
}

void xr_port_usage_close(xr_port_usage_files *files)
{
    (void)files;
}

/* Sets what it knows, such as the heap in use as `rss_bytes`, and leaves the rest. */
void xr_port_usage_read(const xr_port_usage_files *files, bool slow, xr_port_usage *out)
{
    (void)files;
    (void)slow;
    (void)out;
}

/* ---- The worker thread: a task of an RTOS, a mutex and two semaphores ---- */

/* Of a struct xr_port_worker that this file would define. */
size_t xr_port_worker_size(void)
{
    return 1;
}

int xr_port_worker_start(xr_port_worker *worker, void (*function)(void *argument), void *argument)
{
    (void)worker;
    (void)function;
    (void)argument;
    return 1; /* the recorder says so, and that ring_size is to be 0 */
}

void xr_port_worker_join(xr_port_worker *worker)
{
    (void)worker;
}

void xr_port_lock(xr_port_worker *worker)
{
    (void)worker;
}

void xr_port_unlock(xr_port_worker *worker)
{
    (void)worker;
}

bool xr_port_wait(xr_port_worker *worker, xr_port_condition condition, uint64_t most_ns)
{
    (void)worker;
    (void)condition;
    (void)most_ns;
    return false;
}

void xr_port_signal(xr_port_worker *worker, xr_port_condition condition)
{
    (void)worker;
    (void)condition;
}

uint64_t xr_port_process(void)
{
    return 0;
}

void xr_port_at_exit(void (*function)(void))
{
    (void)function;
}
