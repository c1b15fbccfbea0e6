#define _POSIX_C_SOURCE 200809L
#include "replay/truth_record.h"

#include "base/error.h"
#include "media/decode.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The number of a class by its name; -1: it is not among them. */
static int64_t id_of(const xr_names *labels, const char *name)
{
    for (size_t i = 0; name && i < labels->count; i++)
        if (strcasecmp(labels->name[i], name) == 0)
            return (int64_t)i;
    return -1;
}

/* Boxes of one class mostly follow each other; they share its name. */
static void name_boxes(xr_truth_notes *notes, const xr_names *labels, exray_box *boxes, uint32_t *count,
                       xr_truth_warning *warning, void *user)
{
    uint32_t kept = 0;
    const char *name = NULL;
    int64_t id = -1;
    for (uint32_t i = 0; i < *count; i++) {
        if (i == 0 || boxes[i].label != name) {
            name = boxes[i].label;
            id = id_of(labels, name);
        }
        if (id < 0) {
            char text[300];
            snprintf(text, sizeof text,
                     "the class '%.100s' of --labels is not among the %zu of the model: its boxes are left "
                     "out, as "
                     "those of other such classes",
                     name ? name : "", labels->count);
            if (!notes->category_told)
                warning(user, text);
            notes->category_told = true;
            continue;
        }
        boxes[kept] = boxes[i];
        boxes[kept++].id = id;
    }
    *count = kept;
}

static bool has_shape(const exray_mask *mask, double width, double height)
{
    const double ratio = (double)mask->width * height / ((double)mask->height * width);
    return ratio > 0.97 && ratio < 1 / 0.97;
}

/* A mask covers the picture, as it is stored or upright, at any size. */
static bool covers(const exray_mask *mask, const xr_item *item, exray_error *error)
{
    exray_picture picture = {0};
    exray_error ignored;
    if (item->from_input || xr_picture_decode(&item->media, item->data, item->size, &picture, &ignored))
        return true; /* of a picture that is not there nothing is known */
    const double width = picture.width, height = picture.height;
    xr_picture_clear(&picture);
    if (has_shape(mask, width, height) || has_shape(mask, height, width))
        return true;
    xr_error_set(
        error, EXRAY_E_FORMAT,
        "the mask of %.150s is %u x %u, the picture %.0f x %.0f: it is the mask of another picture, or "
        "cropped",
        item->source, mask->width, mask->height, width, height);
    return false;
}

static exray_status log_truth(xr_truth_notes *notes, const xr_item *item, const xr_names *labels,
                              exray_recorder *recorder, exray_told *told, xr_truth_warning *warning,
                              void *user, exray_error *error)
{
    exray_result truth;
    exray_status status = xr_truth_result(notes->truth, item->source, told, &truth, error);
    if (status)
        return status;
    if (truth.mask && !covers(truth.mask, item, error))
        return EXRAY_E_FORMAT;
    if (truth.box_count && labels->count) {
        exray_box *boxes = exray_told_room(told, truth.box_count, sizeof *boxes);
        if (!boxes)
            return xr_error_set(error, EXRAY_E_MEMORY, "out of memory for the truth of %.200s", item->source);
        memcpy(boxes, truth.boxes, truth.box_count * sizeof *boxes);
        name_boxes(notes, labels, boxes, &truth.box_count, warning, user);
        truth.boxes = boxes;
    }
    return exray_recorder_log_truth(recorder, &truth);
}

void xr_truth_record(xr_truth_notes *notes, const xr_item *item, const xr_names *labels,
                     exray_recorder *recorder, xr_truth_warning *warning, void *user)
{
    if (!notes->truth || !xr_truth_has_results(notes->truth))
        return;
    exray_error error = {0};
    exray_told *told = exray_told_new();
    const exray_status status =
        told ? log_truth(notes, item, labels, recorder, told, warning, user, &error) : EXRAY_E_MEMORY;
    exray_told_free(told);
    notes->frames++;
    if (!status || item->has_label)
        return;
    if (notes->without++ == 0)
        snprintf(notes->example, sizeof notes->example, "%.150s", item->source);
    if (*error.message && !notes->fault_told) {
        warning(user, error.message);
        notes->fault_told = true;
    }
}

void xr_truth_end(const xr_truth_notes *notes, xr_truth_warning *warning, void *user)
{
    char text[400];
    if (notes->without == 0)
        return;
    snprintf(text, sizeof text, "%zu of %zu frames have no truth that can be used (such as %s)",
             notes->without, notes->frames, notes->example);
    warning(user, text);
}
