/* All that the monitor needs of an operating system.  A port to another one is
 * one file like port_posix.c; a device without threads, files or a heap lets
 * the functions of that group fail and uses callbacks and its own memory. */
#ifndef XR_PORT_H
#define XR_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Time ---- */

uint64_t xr_port_now(void);        /* ns of a monotonic clock */
uint64_t xr_port_wall_clock(void); /* ns since 1970-01-01 UTC; 0: unknown */

/* ---- Memory: called at open and close only ---- */

void *xr_port_allocate(size_t size); /* NULL: none left */
void xr_port_free(void *memory);

/* ---- Files ---- */

/* Creates or truncates.  A handle >= 0, or -1 and *error (xr_port_in_use() of a file that a recorder, of
 * whatever process, writes). */
int xr_port_open(const char *path, int *error);
int xr_port_in_use(void);
/* Writes all of it, whatever the system splits.  0, or an error number; *written in any case.  No signal
 * comes of it: not of a reader that left, nor of a file that may not grow. */
int xr_port_write(int handle, const void *data, size_t size, size_t *written);
/* Takes the last bytes of a file back, as if they had never been written; false: it cannot. */
bool xr_port_take_back(int handle, uint64_t size);
int xr_port_close(int handle);
/* Creates; an error that xr_port_is_there_already knows, where there is such a file. */
int xr_port_open_new(const char *path, int *error);
bool xr_port_is_there_already(int error);
/* The error number of a name that cannot be. */
int xr_port_no_name(void);
/* Its first and last `size` bytes, and how many it has.  false: no regular file of so many bytes. */
bool xr_port_file_ends(const char *path, void *first, void *last, size_t size, uint64_t *file_size);
/* Writes at an offset, and leaves where xr_port_write goes on. */
int xr_port_write_at(int handle, uint64_t offset, const void *data, size_t size);
int xr_port_truncate(int handle, uint64_t size);
/* To the disk; 0 too where the file has none behind it.  And that there is a file of that name. */
int xr_port_sync(int handle);
void xr_port_sync_folder(const char *path);
int xr_port_remove(const char *path);
/* Calls see(user, name, bytes) for each regular file of the folder ("": this one).  Takes heap memory. */
void xr_port_list(const char *folder, void (*see)(void *user, const char *name, uint64_t size), void *user);
/* A file without a name, beside `path`, that ends with its handle; and its bytes, to read.  -1; NULL. */
int xr_port_open_unnamed(const char *path, int *error);
void *xr_port_map(int handle, size_t size);
void xr_port_unmap(void *at, size_t size);

/* ---- Signals ---- */

/* Around a sink of the application's that may write to a pipe or socket whose reader left: the thread gets
 * no signal of that. */
typedef struct xr_port_quiet {
    bool pipe, size;   /* was pending before */
    uint64_t mask[16]; /* the thread's signals before */
} xr_port_quiet;
void xr_port_quiet_begin(xr_port_quiet *quiet);
void xr_port_quiet_end(const xr_port_quiet *quiet);

/* ---- Processes ---- */

/* How often this process and those that it comes from forked since the first call: another number in a child
 * than in its parent.  Quick, as xr_port_process is not. */
uint32_t xr_port_fork_count(void);

/* ---- Errors ---- */

/* What an error number of a sink means. */
typedef enum xr_port_refusal {
    XR_PORT_NOT_NOW, /* later it may take bytes again: busy, full */
    XR_PORT_FAILED,  /* it may; said again and again, it will not */
    XR_PORT_GONE,    /* never again */
} xr_port_refusal;
xr_port_refusal xr_port_refusal_of(int error);

/* The error number's text, in `buffer` or constant. */
const char *xr_port_error_text(int error, char *buffer, size_t size);
/* Whether it says that the disk (or a quota) is full. */
bool xr_port_is_no_space(int error);
/* The error number that says so. */
int xr_port_no_space(void);

/* ---- A mapped file: the flight recorder's ---- */

/* Creates the file, which must not exist, with all its bytes on the disk, and maps it (xr_port_unmap): zeros.
 * NULL, and *error. */
void *xr_port_map_new(const char *path, size_t size, int *error);
/* The first bytes of a file, and how many they are; 0: it is empty, or there is none. */
size_t xr_port_read_first(const char *path, void *out, size_t size);
/* 0, or an error number.  A file that has the new name goes. */
int xr_port_rename(const char *from, const char *to);

/* ---- What the log says of the machine ---- */

/* Fills with random bytes; false: cannot. */
bool xr_port_random(void *out, size_t size);

typedef struct xr_port_machine {
    char device[64], os[96], arch[32], cpu[96], soc[96]; /* "" where unknown */
} xr_port_machine;
void xr_port_machine_info(xr_port_machine *out);

typedef struct xr_port_usage {
    bool has_rss, has_peak_rss, has_celsius, has_mhz;
    uint64_t rss_bytes, peak_rss_bytes;
    double cpu_celsius, cpu_mhz;
    uint32_t processors; /* that this process may use; 0: unknown */
} xr_port_usage;

/* Files kept open for xr_port_usage_read; -1: there is none. */
typedef struct xr_port_usage_files {
    int statm, temperature, frequency;
} xr_port_usage_files;
void xr_port_usage_open(xr_port_usage_files *files);
void xr_port_usage_close(xr_port_usage_files *files);
/* Memory; with `slow` also the temperature, the clock and the processors, which can take tens of
 * microseconds.  Sets the fields that it could read and leaves the others. */
void xr_port_usage_read(const xr_port_usage_files *files, bool slow, xr_port_usage *out);

/* ---- One worker thread, one lock, two conditions: the asynchronous mode ---- */

typedef struct xr_port_worker xr_port_worker;
typedef enum xr_port_condition { XR_PORT_WORK, XR_PORT_SPACE } xr_port_condition;

size_t xr_port_worker_size(void); /* bytes of xr_port_worker */
/* Starts function(argument) on a thread.  0, or an error number. */
int xr_port_worker_start(xr_port_worker *worker, void (*function)(void *argument), void *argument);
/* Waits for the thread's end. */
void xr_port_worker_join(xr_port_worker *worker);
void xr_port_lock(xr_port_worker *worker);
void xr_port_unlock(xr_port_worker *worker);
/* With the lock held. */
/* false: not signaled for that long; 0 ns: for ever. */
bool xr_port_wait(xr_port_worker *worker, xr_port_condition condition, uint64_t most_ns);
void xr_port_signal(xr_port_worker *worker, xr_port_condition condition);
/* This process, another number than its parent's. */
uint64_t xr_port_process(void);
/* Calls the function where the process ends by exit() or by main's return. */
void xr_port_at_exit(void (*function)(void));

#endif
