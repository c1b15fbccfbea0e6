/* Frames from files: a folder, one file, or a list. */
#define _POSIX_C_SOURCE 200809L
#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"
#include "replay/items.h"
#include "replay/windows.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { MAX_DEPTH = 32 }; /* of folders: a link to a parent must not loop */

typedef struct file_items {
    xr_items base;
    char *folder; /* names are relative to it; "" for the current one */
    char **names;
    size_t name_count, room, at;
    void *bytes; /* of the current item */
    bool folder_listed, chosen;
    bool texts;         /* each file is one text */
    xr_windows windows; /* of the recording at hand */
} file_items;

static char *join(const char *folder, const char *name)
{
    size_t a = strlen(folder), b = strlen(name);
    bool bare = a == 0 || name[0] == '/';
    char *path = malloc(a + b + 2);
    if (!path)
        return NULL;
    if (bare)
        memcpy(path, name, b + 1);
    else
        snprintf(path, a + b + 2, "%s%s%s", folder, folder[a - 1] == '/' ? "" : "/", name);
    return path;
}

/* Takes over `name`. */
static bool add_name(file_items *items, char *name)
{
    char **grown = name ? xr_array_grow(items->names, items->base.count, &items->room, sizeof *grown) : NULL;
    if (!grown) {
        free(name);
        return false;
    }
    items->names = grown;
    items->names[items->base.count++] = name;
    items->name_count = items->base.count;
    return true;
}

static bool ends_in(const char *name, const char *const *endings, size_t count)
{
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < count; i++)
        if (strcasecmp(dot, endings[i]) == 0)
            return true;
    return false;
}

static bool looks_like_sound(const char *name)
{
    static const char *const endings[] = {".wav", ".wave"};
    return ends_in(name, endings, 2);
}

/* Folders of pictures or sounds have other files, too (labels, notes). */
static bool looks_like_data(const char *name)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".jpe", ".png"};
    return ends_in(name, endings, 4) || looks_like_sound(name);
}

static exray_status out_of_memory(exray_error *error, const char *what)
{
    return xr_error_set(error, EXRAY_E_MEMORY, "out of memory while listing %s", what);
}

/* Adds the pictures and sounds, or all texts, below folder/prefix; prefix "" or "sub/". */
static exray_status add_folder(file_items *items, const char *prefix, int depth, exray_error *error)
{
    char *path = join(items->folder, *prefix ? prefix : ".");
    DIR *folder = path ? opendir(path) : NULL;
    exray_status status = EXRAY_OK;
    if (!path)
        status = out_of_memory(error, items->folder);
    else if (!folder && depth == 0)
        status = xr_error_set(error, EXRAY_E_IO, "cannot list %s: %s", path, strerror(errno));
    else if (!folder && !add_name(items, strdup(prefix))) /* named, counted and skipped when its turn comes */
        status = out_of_memory(error, items->folder);
    struct dirent *entry;
    while (folder && !status && (entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        char *name = join(prefix, entry->d_name), *whole = name ? join(items->folder, name) : NULL;
        struct stat info;
        if (!whole) {
            status = out_of_memory(error, items->folder);
        } else if (stat(whole, &info) == 0 && S_ISDIR(info.st_mode)) {
            if (depth < MAX_DEPTH)
                status = add_folder(items, name, depth + 1, error);
        } else if (items->texts || looks_like_data(name)) {
            if (!add_name(items, name))
                status = out_of_memory(error, items->folder);
            name = NULL;
        }
        free(name);
        free(whole);
    }
    if (folder)
        closedir(folder);
    free(path);
    return status;
}

static exray_status add_list(file_items *items, const char *path, exray_error *error)
{
    size_t size;
    char *text = xr_file_read(path, XR_LIMIT_TEXT, &size, error);
    if (!text)
        return EXRAY_E_IO;
    exray_status status = EXRAY_OK;
    char *rest = NULL;
    for (char *line = strtok_r(xr_text_begin(text), "\n", &rest); line && !status;
         line = strtok_r(NULL, "\n", &rest)) {
        line += strspn(line, " \t");
        size_t length = strlen(line);
        while (length && strchr(" \t\r", line[length - 1]))
            line[--length] = '\0';
        if (length && *line != '#' && !add_name(items, strdup(line)))
            status = out_of_memory(error, path);
    }
    free(text);
    return status;
}

/* Of a folder, the pictures or the sounds are meant: those that the pipeline takes, if there are any. */
static void choose_kind(file_items *items)
{
    const bool sounds = items->base.audio != NULL;
    size_t kept = 0, count = items->base.count;
    for (size_t i = 0; i < count; i++)
        kept += looks_like_sound(items->names[i]) == sounds;
    items->chosen = true;
    if (!items->folder_listed || items->texts || kept == 0 || kept == count)
        return;
    for (size_t i = items->base.count = 0; i < count; i++)
        if (looks_like_sound(items->names[i]) == sounds)
            items->names[items->base.count++] = items->names[i];
        else
            free(items->names[i]);
    items->name_count = items->base.count;
}

/* The next window of the recording at hand. */
static xr_next next_window(file_items *items, xr_item *item, exray_error *error)
{
    xr_windows *w = &items->windows;
    const char *name = items->names[items->at - 1];
    *item = (xr_item){.source = name, .sensor = "microphone"};
    if (items->base.truth)
        item->has_label = xr_truth_label(items->base.truth, name, &item->label);
    return xr_windows_next(w, name, item, error) ? XR_NEXT_ITEM : XR_NEXT_BROKEN;
}

static xr_next next_file(xr_items *base, xr_item *item, exray_error *error)
{
    file_items *items = (file_items *)base;
    if (!items->chosen)
        choose_kind(items);
    if (xr_windows_left(&items->windows))
        return next_window(items, item, error);
    free(items->bytes);
    items->bytes = NULL;
    if (items->at == items->name_count)
        return XR_NEXT_END;
    const char *name = items->names[items->at++];
    *item = (xr_item){.source = name, .sensor = "camera", .media = {.format = ""}};
    char *path = join(items->folder, name);
    if (path)
        items->bytes = xr_file_read(path, XR_LIMIT_SENSOR, &item->size, error);
    else
        out_of_memory(error, name);
    free(path);
    item->data = items->bytes;
    if (base->truth)
        item->has_label = xr_truth_label(base->truth, name, &item->label);
    if (!item->data)
        return XR_NEXT_BROKEN;
    if (items->texts) {
        item->sensor = "text";
        item->media.format = "utf8";
    } else if (xr_is_wav(item->data, item->size)) {
        item->sensor = "microphone";
        if (base->audio && base->audio->window) {
            if (!xr_windows_open(&items->windows, base->audio, item->data, item->size, error))
                return XR_NEXT_BROKEN;
            base->count += items->windows.count - 1;
            return next_window(items, item, error);
        }
    }
    return XR_NEXT_ITEM;
}

static void free_files(xr_items *base)
{
    file_items *items = (file_items *)base;
    for (size_t i = 0; i < items->name_count; i++)
        free(items->names[i]);
    xr_windows_close(&items->windows);
    free(items->names);
    free(items->folder);
    free(items->bytes);
    xr_truth_free(base->truth);
    free(items);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static exray_status list_names(file_items *items, const char *data, exray_error *error)
{
    struct stat info;
    if (stat(data, &info) != 0)
        return xr_error_set(error, EXRAY_E_IO, "cannot read %s: %s", data, strerror(errno));
    const char *slash = strrchr(data, '/');
    bool folder = S_ISDIR(info.st_mode);
    items->folder = folder ? strdup(data) : slash ? strndup(data, (size_t)(slash - data) + 1) : strdup("");
    if (!items->folder)
        return out_of_memory(error, data);
    const char *base = slash ? slash + 1 : data, *dot = strrchr(base, '.');
    exray_status status;
    if (folder)
        status = add_folder(items, "", 0, error);
    else if (dot && strcasecmp(dot, ".txt") == 0)
        status = add_list(items, data, error);
    else
        status = add_name(items, strdup(base)) ? EXRAY_OK : out_of_memory(error, data);
    if (!status && items->base.count == 0)
        status = items->texts
                     ? xr_error_set(error, EXRAY_E_IO, "%s has no files in it; each would be one text", data)
                     : xr_error_set(error, EXRAY_E_IO,
                                    "%s %s; give a folder of .jpg and .png or .wav files, a file, or a list",
                                    data, folder ? "has no pictures or sounds in it" : "names no file");
    items->folder_listed = folder;
    if (folder && items->base.count)
        qsort(items->names, items->base.count, sizeof *items->names, compare_names);
    return status;
}

/* A label file without an entry for any picture is a mistake. */
static exray_status check_labels(const file_items *items, const char *labels, exray_error *error)
{
    char what[64];
    const char *example = items->base.count ? items->names[0] : "";
    for (size_t i = 0; i < items->base.count; i++)
        if (xr_truth_has(items->base.truth, items->names[i]))
            return EXRAY_OK;
    xr_truth_describe(items->base.truth, what, sizeof what);
    return xr_error_set(error, EXRAY_E_FORMAT, "%s: none of its %s is among the %zu of --data (such as %s)",
                        labels, what, items->base.count, example);
}

static xr_items *open_files(const char *data, const char *labels, bool texts, exray_error *error)
{
    file_items *items = calloc(1, sizeof *items);
    if (!items) {
        out_of_memory(error, data);
        return NULL;
    }
    items->base.next = next_file;
    items->base.free = free_files;
    items->texts = texts;
    exray_status status = list_names(items, data, error);
    if (!status && labels) {
        items->base.truth = xr_truth_load(labels, error);
        status = items->base.truth ? check_labels(items, labels, error) : EXRAY_E_FORMAT;
    }
    if (status) {
        free_files(&items->base);
        return NULL;
    }
    return &items->base;
}

xr_items *xr_items_from_files(const char *data, const char *labels, exray_error *error)
{
    return open_files(data, labels, false, error);
}

xr_items *xr_items_from_text_folder(const char *folder, const char *labels, exray_error *error)
{
    return open_files(folder, labels, true, error);
}
