/* How outputs are read, as part of the log. */
#include "base/error.h"
#include "replay/told/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct key_list {
    xr_task_key_room *room;
    exray_key_value *pairs;
    uint32_t count;
} key_list;

static void add_text(key_list *list, const char *key, const char *value)
{
    char *text = list->room->text[list->count];
    snprintf(text, sizeof list->room->text[0], "%s", value);
    list->pairs[list->count++] = (exray_key_value){key, text};
}

static void add_number(key_list *list, const char *key, double value)
{
    char text[32];
    if (value == 0) /* not given */
        return;
    snprintf(text, sizeof text, "%.9g", value);
    add_text(list, key, text);
}

/* Whether the model sees the whole upright picture, neither turned nor mirrored. */
static bool sees_whole(const xr_pipeline *pipeline)
{
    bool whole = true;
    for (unsigned i = 0; i < pipeline->step_count; i++) {
        const xr_step *step = &pipeline->steps[i];
        whole = whole && !(step->kind == XR_STEP_CROP && step->as.crop.kind != XR_CROP_NONE) &&
                !(step->kind == XR_STEP_ROTATE && step->as.quarter_turns) &&
                !(step->kind == XR_STEP_FLIP && step->as.flip != XR_FLIP_NONE) &&
                !(step->kind == XR_STEP_ORIENT && !step->as.orient);
    }
    return whole;
}

uint32_t xr_task_keys(const xr_task *task, const xr_pipeline *pipeline, xr_task_key_room *room,
                      exray_key_value pairs[XR_TASK_KEYS])
{
    key_list list = {room, pairs, 0};
    const xr_output_keys *keys = task->keys;
    const bool has_head = keys->head != NULL;
    if (!has_head && strcmp(task->name, "multi_label") != 0)
        return 0;
    if (has_head)
        add_text(&list, "output.head", keys->head);
    add_number(&list, "output.threshold", keys->threshold);
    add_number(&list, "output.nms", keys->nms);
    add_number(&list, "output.top_k", keys->top_k);
    add_number(&list, "output.classes", keys->classes);
    add_number(&list, "output.sigmoid", keys->sigmoid);
    if (keys->boxes)
        add_text(&list, "output.boxes", keys->boxes);
    if (has_head && sees_whole(pipeline))
        add_text(&list, "output.seen", "whole");
    return list.count;
}

/* What a text file of several lines has: `line` writes line i and returns its length. */
static exray_status attach_lines(const xr_task *task, exray_recorder *recorder, const char *name,
                                 size_t count, int (*line)(const xr_task *, size_t, char *, size_t),
                                 exray_error *error)
{
    size_t size = 0, at = 0;
    for (size_t i = 0; i < count; i++)
        size += (size_t)line(task, i, NULL, 0);
    char *text = malloc(size + 1);
    if (!text)
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory for %s", name);
    for (size_t i = 0; i < count; i++)
        at += (size_t)line(task, i, text + at, size + 1 - at);
    exray_recorder_log_attachment(recorder, name, "text/plain", text, size);
    free(text);
    return EXRAY_OK;
}

static int letter_line(const xr_task *task, size_t i, char *out, size_t room)
{
    return snprintf(out, room, "%s\n", task->labels.name[i]);
}

static int anchor_line(const xr_task *task, size_t i, char *out, size_t room)
{
    const float *a = task->anchors.at + 4 * i;
    return snprintf(out, room, "%.9g %.9g %.9g %.9g\n", (double)a[0], (double)a[1], (double)a[2],
                    (double)a[3]);
}

exray_status xr_task_attach(const xr_task *task, exray_recorder *recorder, exray_error *error)
{
    exray_status status = EXRAY_OK;
    if (!task->keys || !task->keys->head)
        return EXRAY_OK;
    if (strcmp(task->keys->head, "ctc") == 0 && task->labels.count)
        status = attach_lines(task, recorder, "letters.txt", task->labels.count, letter_line, error);
    if (!status && task->anchors.count)
        status = attach_lines(task, recorder, "anchors.txt", task->anchors.count, anchor_line, error);
    return status;
}
