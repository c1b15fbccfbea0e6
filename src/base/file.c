#define _POSIX_C_SOURCE 200809L
#include "base/file.h"

#include "base/error.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void too_large(const char *path, size_t limit, exray_error *error)
{
    xr_error_set(error, EXRAY_E_LIMIT, "%s is larger than %zu bytes, the most that is read", path, limit);
}

static void *read_open_file(FILE *file, const char *path, size_t limit, size_t *size, exray_error *error)
{
    struct stat info;
    if (fstat(fileno(file), &info) != 0 || S_ISDIR(info.st_mode)) {
        xr_error_set(error, EXRAY_E_IO, "%s is a folder, not a file", path);
        return NULL;
    }
    if (S_ISREG(info.st_mode) && (uint64_t)info.st_size > limit) {
        too_large(path, limit, error);
        return NULL;
    }
    /* Pipes have no size: grow as it comes, which serves files too. */
    size_t room = S_ISREG(info.st_mode) && info.st_size > 0 ? (size_t)info.st_size + 1 : 65536;
    char *bytes = NULL;
    size_t used = 0;
    for (;;) {
        if (room > limit + 1)
            room = limit + 1;
        char *grown = realloc(bytes, room + 1);
        if (!grown) {
            xr_error_set(error, EXRAY_E_MEMORY, "%s: out of memory at %zu bytes", path, room);
            break;
        }
        bytes = grown;
        used += fread(bytes + used, 1, room - used, file);
        if (ferror(file)) {
            xr_error_set(error, EXRAY_E_IO, "cannot read %s: %s", path, strerror(errno));
            break;
        }
        if (used > limit) {
            too_large(path, limit, error);
            break;
        }
        if (feof(file)) {
            bytes[used] = '\0';
            *size = used;
            return bytes;
        }
        room *= 2;
    }
    free(bytes);
    return NULL;
}

void *xr_file_read(const char *path, size_t limit, size_t *size, exray_error *error)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        xr_error_set(error, EXRAY_E_IO, "cannot read %s: %s", path, strerror(errno));
        return NULL;
    }
    void *bytes = read_open_file(file, path, limit, size, error);
    fclose(file);
    return bytes;
}

size_t xr_file_begin(const char *path, void *begin, size_t room)
{
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) /* a pipe would be waited for */
        return 0;
    FILE *file = fopen(path, "rb");
    if (!file)
        return 0;
    size_t size = fread(begin, 1, room, file);
    fclose(file);
    return size;
}

/* What a link says, as a path from here: what it says alone, or behind the link's own folder. */
static bool follow(const char *path, char *out, size_t room)
{
    char target[PATH_MAX];
    const ssize_t size = readlink(path, target, sizeof target - 1);
    if (size < 0)
        return false;
    target[size] = '\0';
    const int folder = *target == '/' ? 0 : (int)(xr_base_name(path) - path);
    const int used = snprintf(out, room, "%.*s%s", folder, path, target);
    errno = ENAMETOOLONG;
    return used >= 0 && (size_t)used < room;
}

bool xr_file_behind_links(const char *path, char *out, size_t room)
{
    enum { MOST_LINKS = 40 }; /* as the system's */
    struct stat info;
    char at[PATH_MAX];
    const bool is_device = stat(path, &info) == 0 && !S_ISREG(info.st_mode);
    errno = ENAMETOOLONG;
    if (strlen(path) >= room || strlen(path) >= sizeof at)
        return false;
    strcpy(out, path);
    for (int i = 0; !is_device && lstat(out, &info) == 0 && S_ISLNK(info.st_mode); i++) {
        errno = ELOOP;
        strcpy(at, out);
        if (i == MOST_LINKS || !follow(at, out, room < sizeof at ? room : sizeof at))
            return false;
    }
    return true;
}

const char *xr_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *xr_text_begin(char *text)
{
    return strncmp(text, "\xEF\xBB\xBF", 3) == 0 ? text + 3 : text;
}
