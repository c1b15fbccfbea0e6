/* Where commands write to: files that are not overwritten by mistake, standard output. */
#define _POSIX_C_SOURCE 200809L
#include "cli/output.h"

#include "base/file.h"
#include "base/memory.h"
#include "cli/fail.h"
#include "core/mcap_format.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum standing { STANDS_NOTHING, STANDS_LOG, STANDS_OTHER } standing;

static standing what_stands_at(const char *path)
{
    unsigned char first[XR_MCAP_MAGIC_SIZE];
    size_t size = xr_file_begin(path, first, sizeof first);
    if (size == 0)
        return STANDS_NOTHING;
    return memcmp(first, XR_MCAP_MAGIC, size) == 0 ? STANDS_LOG : STANDS_OTHER;
}

static FILE *open_output(const char *path)
{
    if (!*path) {
        xr_fail("an output file's name is empty; give one, or - for standard output");
        return NULL;
    }
    FILE *file = fopen(path, "wb");
    if (!file)
        xr_fail("cannot write %s: %s", path, strerror(errno));
    return file;
}

FILE *xr_open_output(const char *path)
{
    if (strcmp(path, "-") == 0)
        return stdout;
    if (what_stands_at(path) == STANDS_LOG) {
        xr_fail("%s is a log and is not overwritten; give another name", path);
        return NULL;
    }
    return open_output(path);
}

bool xr_may_write_log(const char *path)
{
    if (what_stands_at(path) != STANDS_OTHER)
        return true;
    xr_fail("%s is there and is no log: it is not overwritten; give another name", path);
    return false;
}

/* Logs on their way: written beside their place, and moved there when they are whole, so that a command that
 * fails destroys no older log. */
enum { MOST_LOGS = 4 };
static struct {
    FILE *file; /* NULL: free */
    const char *path;
    char *place, *beside; /* where it belongs: the path, or what that links to; where it is until then */
} logs[MOST_LOGS];

/* Where a log of this name belongs, and "PLACE.part".  false: PATH is a device or a pipe, and is written
 * itself, or there is no memory. */
static bool name_beside(const char *path, char **place, char **beside)
{
    struct stat file;
    char behind[PATH_MAX];
    if (!*path || (stat(path, &file) == 0 && !S_ISREG(file.st_mode)) ||
        !xr_file_behind_links(path, behind, sizeof behind))
        return false;
    *place = strdup(behind);
    *beside = malloc(strlen(behind) + sizeof XR_BESIDE);
    if (!*place || !*beside) {
        free(*place);
        free(*beside);
        return false;
    }
    strcpy(*beside, behind);
    strcat(*beside, XR_BESIDE);
    return true;
}

FILE *xr_open_log_output(const char *path)
{
    if (strcmp(path, "-") == 0)
        return stdout;
    if (!xr_may_write_log(path))
        return NULL;
    int i = 0;
    while (i < MOST_LOGS && logs[i].file)
        i++;
    char *place = NULL, *beside = NULL;
    if (i == MOST_LOGS || !name_beside(path, &place, &beside))
        return open_output(path);
    FILE *file = fopen(beside, "wb");
    if (!file) {
        xr_fail("cannot write %s: %s", path, strerror(errno));
        free(place);
        free(beside);
        return NULL;
    }
    logs[i].file = file;
    logs[i].path = path;
    logs[i].place = place;
    logs[i].beside = beside;
    return file;
}

/* The log's new file goes to its place (`whole`), or away.  false: it cannot. */
static bool settle_log(int i, bool whole)
{
    const bool good = whole ? rename(logs[i].beside, logs[i].place) == 0 : unlink(logs[i].beside) == 0;
    const int reason = errno;
    if (whole && !good)
        unlink(logs[i].beside);
    free(logs[i].place);
    free(logs[i].beside);
    logs[i].file = NULL;
    errno = reason;
    return good;
}

bool xr_names_one_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Whether two files would be in the same folder; `*name`: the part behind it. */
static bool in_one_folder(const char *a, const char *b, const char **a_name, const char **b_name)
{
    const char *path[2] = {a, b};
    struct stat folder[2];
    for (int i = 0; i < 2; i++) {
        const char *slash = strrchr(path[i], '/');
        size_t length = slash ? (size_t)(slash - path[i]) + 1 : 0;
        char *parent = length ? strndup(path[i], length) : strdup(".");
        bool known = parent && stat(parent, &folder[i]) == 0;
        free(parent);
        if (!known)
            return false;
        *(i ? b_name : a_name) = path[i] + length;
    }
    return folder[0].st_dev == folder[1].st_dev && folder[0].st_ino == folder[1].st_ino;
}

bool xr_same_output(const char *a, const char *b)
{
    struct stat file;
    const char *a_name, *b_name;
    if (!a || !b || strcmp(a, "-") == 0 || strcmp(b, "-") == 0)
        return false;
    if (stat(a, &file) == 0)
        return S_ISREG(file.st_mode) && xr_names_one_file(a, b);
    return strcmp(a, b) == 0 || (in_one_folder(a, b, &a_name, &b_name) && strcmp(a_name, b_name) == 0);
}

void xr_remove_output(const char *path)
{
    struct stat file;
    for (int i = 0; i < MOST_LOGS; i++) {
        if (logs[i].file && strcmp(logs[i].path, path) == 0) {
            settle_log(i, false);
            return;
        }
    }
    if (strcmp(path, "-") != 0 && stat(path, &file) == 0 && S_ISREG(file.st_mode))
        unlink(path);
}

bool xr_close_output(FILE *file, const char *path)
{
    bool good = fflush(file) == 0 && !ferror(file);
    int reason = errno;
    const bool is_stdout = strcmp(path, "-") == 0;
    if (file != stdout && fclose(file) != 0 && good) {
        good = false;
        reason = errno;
    }
    if (good && xr_memory_lacks()) {
        xr_remove_output(path);
        xr_fail_for_memory(is_stdout ? "standard output" : path);
        return false;
    }
    for (int i = 0; i < MOST_LOGS; i++) {
        if (logs[i].file == file && good && !settle_log(i, true)) {
            good = false;
            reason = errno;
        }
    }
    if (!good)
        xr_fail("cannot write %s: %s", is_stdout ? "standard output" : path, strerror(reason));
    return good;
}

bool xr_end_output(FILE *file, const char *path, bool good)
{
    if (good)
        good = xr_close_output(file, path);
    else if (file != stdout)
        fclose(file);
    if (!good)
        xr_remove_output(path);
    return good;
}

void xr_watch_json_memory(void)
{
    cJSON_InitHooks(&(cJSON_Hooks){malloc, free});
}

int xr_print_json(cJSON *root, const char *path)
{
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    /* cJSON leaves out what it finds no memory for, and says nothing. */
    if (!text || xr_memory_lacks()) {
        free(text);
        return xr_fail("out of memory while writing JSON");
    }
    FILE *file = xr_open_output(path);
    bool good = file != NULL;
    if (file) {
        fputs(text, file);
        fputc('\n', file);
        good = xr_close_output(file, path);
    }
    free(text);
    return good ? XR_EXIT_OK : XR_EXIT_FAILED;
}
