#define _GNU_SOURCE
#include "log/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Two logs side by side, each with this much resident, leave room for all else
 * under 256 MB. */
#define DROP_AFTER (UINT64_C(48) << 20)

/* Takes ownership of fd; closes it on failure. */
static bool map_file(xr_file_map *map, int fd, uint64_t size, const char *path, exray_error *error)
{
    void *base = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) {
        xr_error_set(error, EXRAY_E_IO, "cannot map the log %s: %s", path, strerror(errno));
        close(fd);
        return false;
    }
#if defined(MADV_NOHUGEPAGE)
    /* A huge page would make 2 MB resident for each header that is looked at. */
    madvise(base, (size_t)size, MADV_NOHUGEPAGE);
#endif
    map->fd = fd;
    map->base = base;
    map->size = size;
    return true;
}

bool xr_file_map_again(xr_file_map *map, const xr_file_map *of, const char *path, exray_error *error)
{
    *map = (xr_file_map){.fd = -1, .base = of->base, .size = of->size};
    if (of->fd < 0)
        return true;
    int fd = fcntl(of->fd, F_DUPFD_CLOEXEC, 0);
    if (fd >= 0)
        return map_file(map, fd, of->size, path, error);
    xr_error_set(error, EXRAY_E_IO, "cannot open the log %s again: %s", path, strerror(errno));
    return false;
}

bool xr_file_map_open(xr_file_map *map, const char *path, exray_error *error)
{
    *map = (xr_file_map){.fd = -1};
    /* Do not wait for a writer if it is a FIFO. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        xr_error_set(error, EXRAY_E_IO, "cannot open the log %s: %s", path, strerror(errno));
        return false;
    }
    struct stat status;
    if (fstat(fd, &status) != 0) {
        xr_error_set(error, EXRAY_E_IO, "cannot read the log %s: %s", path, strerror(errno));
        goto fail;
    }
    if (S_ISDIR(status.st_mode)) {
        xr_error_set(error, EXRAY_E_IO, "cannot read the log %s: it is a directory, not a file", path);
        goto fail;
    }
    if (!S_ISREG(status.st_mode)) {
        xr_error_set(error, EXRAY_E_IO,
                     "cannot read the log %s: it is no regular file; copy the log into a file first", path);
        goto fail;
    }
    if (status.st_size == 0) {
        xr_error_set(error, EXRAY_E_FORMAT, "%s is empty, not a log", path);
        goto fail;
    }
    if ((uint64_t)status.st_size > SIZE_MAX / 2) {
        xr_error_set(error, EXRAY_E_UNSUPPORTED, "the log %s is too large for this machine", path);
        goto fail;
    }
    return map_file(map, fd, (uint64_t)status.st_size, path, error);
fail:
    close(fd);
    return false;
}

void xr_file_map_close(xr_file_map *map)
{
    if (map->fd < 0)
        return;
    munmap((void *)(uintptr_t)map->base, (size_t)map->size);
    close(map->fd);
    map->fd = -1;
}

bool xr_file_map_check(const xr_file_map *map, const char *path, exray_error *error)
{
    struct stat status;
    if (map->fd < 0)
        return true;
    if (fstat(map->fd, &status) == 0 && (uint64_t)status.st_size >= map->size)
        return true;
    xr_error_set(error, EXRAY_E_IO, "the log %s became shorter while it was read; open it again", path);
    return false;
}

void xr_file_map_used(const xr_file_map *map, uint64_t size)
{
    /* A file of that size can be resident as a whole: dropped pages would only be entered again. */
    if (map->fd < 0 || map->size <= DROP_AFTER)
        return;
    /* The counter is bookkeeping: a log stays logically constant. */
    _Atomic uint64_t *touched = &((xr_file_map *)(uintptr_t)map)->touched;
    uint64_t before = atomic_fetch_add_explicit(touched, size, memory_order_relaxed);
    if (before + size < DROP_AFTER)
        return;
    atomic_store_explicit(touched, 0, memory_order_relaxed);
    /* Pages come back from the page cache when they are touched again. */
    madvise((void *)(uintptr_t)map->base, (size_t)map->size, MADV_DONTNEED);
}
