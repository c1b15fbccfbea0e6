/* Mapped files of the port for POSIX systems: a file of its own, for the flight recorder alone needs them. */
#define _GNU_SOURCE
#include "core/port/port.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MAP_POPULATE
#define MAP_POPULATE 0
#endif

/* The disk's blocks are taken now: a full disk would otherwise end the process at some later store. */
static int allocate(int handle, size_t size)
{
    if ((size_t)(off_t)size != size || (off_t)size < 0)
        return EFBIG;
    int error;
    do {
        error = posix_fallocate(handle, 0, (off_t)size);
    } while (error == EINTR);
    return error;
}

void *xr_port_map_new(const char *path, size_t size, int *error)
{
    const int handle = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (handle < 0) {
        *error = errno;
        return NULL;
    }
    void *map = NULL;
    *error = allocate(handle, size);
    if (!*error) {
        map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, handle, 0);
        if (map == MAP_FAILED) {
            *error = errno;
            map = NULL;
        }
    }
    close(handle);
    if (!map)
        unlink(path);
    return map;
}

size_t xr_port_read_first(const char *path, void *out, size_t size)
{
    const int handle = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (handle < 0)
        return 0;
    const ssize_t n = read(handle, out, size);
    close(handle);
    return n > 0 ? (size_t)n : 0;
}

int xr_port_rename(const char *from, const char *to)
{
    return rename(from, to) ? errno : 0;
}
