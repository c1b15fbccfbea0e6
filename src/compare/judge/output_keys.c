#include "compare/judge/output_keys.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LETTERS = 1 << 17, MOST_BYTES = 1 << 22, MOST_COUNT = 100000 };

/* ---- Metadata ---- */

/* The number of a key; `none` where the log has no such number. */
static double number(const exray_log *log, const char *key, double least, double most, double none)
{
    const char *text = exray_log_metadata(log, key);
    if (!text || !*text)
        return none;
    char *end;
    errno = 0;
    const double value = strtod(text, &end);
    return errno || *end || !(value >= least && value <= most) ? none : value;
}

static double whole(const exray_log *log, const char *key, double least, double most)
{
    const double value = number(log, key, least, most, 0);
    return value == floor(value) ? value : 0;
}

static const char *word(const exray_log *log, const char *key, char *room, size_t size)
{
    const char *text = exray_log_metadata(log, key);
    if (!text || !*text || strlen(text) >= size)
        return NULL;
    snprintf(room, size, "%s", text);
    return room;
}

static void take_numbers(const exray_log *log, exray_task_options *o)
{
    o->label_offset = (int64_t)whole(log, "label_offset", INT32_MIN, INT32_MAX);
    o->threshold = (float)number(log, "output.threshold", -1, 1e6, 0);
    o->nms = (float)number(log, "output.nms", 0, 1, 0);
    o->top_k = (uint32_t)whole(log, "output.top_k", 0, MOST_COUNT);
    o->classes = (uint32_t)whole(log, "output.classes", 0, MOST_COUNT);
    o->sigmoid = number(log, "output.sigmoid", 0, 1, 0) > 0;
}

static bool has_keys(const exray_log *log)
{
    static const char *const keys[] = {"output.head",    "output.threshold", "output.nms",  "output.top_k",
                                       "output.classes", "output.sigmoid",   "output.boxes"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (exray_log_metadata(log, keys[i]))
            return true;
    return false;
}

/* ---- Attached files ---- */

/* The text of an attachment, with a zero behind it; *out NULL: there is none.  False: out of memory. */
static bool attached(const exray_log *log, const char *name, char **out, size_t *size)
{
    exray_slot *slot = exray_slot_new();
    *out = NULL;
    bool good = slot != NULL;
    for (size_t i = 0; good && !*out && i < exray_log_attachment_count(log); i++) {
        const exray_attachment *a = exray_log_attachment(log, i);
        const void *data;
        exray_error ignored; /* a damaged attachment is told by `info --check` */
        if (strcmp(a->name, name) != 0 || a->size > MOST_BYTES ||
            exray_log_read_attachment(log, i, slot, &data, size, &ignored) != EXRAY_OK)
            continue;
        *out = malloc(*size + 1);
        good = *out != NULL;
        if (good && *size)
            memcpy(*out, data, *size);
        if (good)
            (*out)[*size] = 0;
    }
    exray_slot_free(slot);
    return good;
}

static bool take_letters(const exray_log *log, xr_output_keys_read *out)
{
    size_t size = 0, count = 0;
    if (!attached(log, "letters.txt", &out->letters, &size))
        return false;
    if (!out->letters)
        return true;
    for (size_t i = 0; i < size; i++)
        count += out->letters[i] == '\n';
    if (count > MOST_LETTERS || !(out->label = calloc(count + 1, sizeof *out->label)))
        return count > MOST_LETTERS;
    char *at = out->letters;
    for (size_t i = 0; i < count; i++) {
        char *end = strchr(at, '\n');
        if (!end) /* a zero byte: no text */
            return true;
        *end = 0;
        out->label[i] = at;
        at = end + 1;
    }
    out->options.labels = out->label;
    out->options.label_count = count;
    return true;
}

static bool take_anchors(const exray_log *log, xr_output_keys_read *out)
{
    size_t size = 0;
    char *text;
    exray_error error = {EXRAY_OK, ""};
    if (!attached(log, "anchors.txt", &text, &size))
        return false;
    if (text && strlen(text) == size)
        (void)xr_anchors_parse(text, "anchors.txt", &out->anchors, &error);
    free(text);
    out->options.anchors = out->anchors.at;
    out->options.anchor_count = out->anchors.count;
    return error.status != EXRAY_E_MEMORY;
}

static bool take(const exray_log *log, xr_output_keys_read *out)
{
    out->options = (exray_task_options)EXRAY_TASK_OPTIONS_INIT;
    take_numbers(log, &out->options);
    out->any = has_keys(log);
    if (!out->any)
        return true;
    out->options.head = word(log, "output.head", out->head, sizeof out->head);
    out->options.boxes = word(log, "output.boxes", out->boxes, sizeof out->boxes);
    const char *seen = exray_log_metadata(log, "output.seen");
    out->whole = seen && strcmp(seen, "whole") == 0;
    return take_letters(log, out) && take_anchors(log, out);
}

/* Takes how the other side's outputs are read.  The label offset of a side's own run stays. */
static void take_from(const exray_log *log, const xr_output_keys_read *other, xr_output_keys_read *out)
{
    const int64_t own_offset = out->options.label_offset;
    out->options = other->options;
    out->whole = other->whole;
    if (exray_log_metadata(log, "label_offset"))
        out->options.label_offset = own_offset;
}

xr_output_keys_read *xr_output_keys_of(const exray_log *const log[2])
{
    xr_output_keys_read *keys = calloc(2, sizeof *keys);
    bool good = keys != NULL;
    for (int s = 0; s < 2 && good; s++)
        good = take(log[s], &keys[s]);
    for (int s = 0; s < 2 && good; s++)
        if (!keys[s].any && keys[1 - s].any)
            take_from(log[s], &keys[1 - s], &keys[s]);
    if (good)
        return keys;
    xr_output_keys_free(keys);
    return NULL;
}

void xr_output_keys_free(xr_output_keys_read *keys)
{
    for (int s = 0; s < 2 && keys; s++) {
        free(keys[s].letters);
        free(keys[s].label);
        xr_anchors_free(&keys[s].anchors);
    }
    free(keys);
}
