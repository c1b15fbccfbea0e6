#include "checks/output/box_labels.h"

#include "checks/output/boxes.h"

#include <math.h>
#include <string.h>

enum {
    MOST_CLASSES = 256,
    FEWEST = 3, /* distinct classes; fewer may fit an output by chance */
};

/* One output, taken as that of the classes. */
typedef struct class_table {
    int64_t value[MOST_CLASSES], id[MOST_CLASSES];
    size_t classes, boxes, frames;
    bool broken; /* a value has two classes, or a class two values */
} class_table;

static void add(class_table *t, double value, int64_t id)
{
    const int64_t most = INT64_C(1) << 60; /* a log may have any: differences of offsets fit */
    if (!(fabs(value) < 1e6) || value != rint(value) || id < -most || id > most) {
        t->broken = true;
        return;
    }
    int64_t whole = (int64_t)value;
    for (size_t i = 0; i < t->classes; i++) {
        if (t->value[i] == whole && t->id[i] == id) {
            t->boxes++;
            return;
        }
        if (t->value[i] == whole || t->id[i] == id)
            t->broken = true;
    }
    t->boxes++;
    if (t->classes == MOST_CLASSES)
        t->broken = true;
    if (t->broken)
        return;
    t->value[t->classes] = whole;
    t->id[t->classes++] = id;
}

static void add_frame(class_table *t, const exray_result *result, const float *values, uint64_t count)
{
    for (uint32_t i = 0; i < result->box_count && !t->broken; i++) {
        float value = NAN;
        if (i < count)
            memcpy(&value, (const char *)values + i * sizeof value, sizeof value);
        add(t, value, result->boxes[i].id);
    }
    t->frames++;
}

static exray_status read_output(const exray_comparison *comparison, exray_side side, size_t pair,
                                exray_slot *slot[2], class_table *t, exray_error *error)
{
    for (size_t f = 0; f < exray_comparison_frame_count(comparison) && !t->broken; f++) {
        exray_result result;
        exray_tensor_view view;
        const float *values;
        if (!xr_boxes_read(comparison, side, f, slot[0], &result))
            continue;
        exray_status status = exray_comparison_values(comparison, side, f, EXRAY_KIND_OUTPUT, pair, slot[1],
                                                      &view, &values, error);
        if (status == EXRAY_E_STATE || status == EXRAY_E_UNSUPPORTED)
            continue;
        if (status != EXRAY_OK)
            return status;
        add_frame(t, &result, values, view.count);
    }
    return EXRAY_OK;
}

static void judge(const class_table *t, xr_box_labels *out)
{
    if (t->broken || t->classes < FEWEST)
        return;
    bool constant = true;
    for (size_t i = 1; i < t->classes; i++)
        constant = constant && t->value[i] - t->id[i] == t->value[0] - t->id[0];
    if (out->state == XR_BOX_LABELS_OFFSET && !constant)
        return; /* another output fits better */
    *out = (xr_box_labels){.state = constant ? XR_BOX_LABELS_OFFSET : XR_BOX_LABELS_PERMUTED,
                           .offset = constant ? t->value[0] - t->id[0] : 0,
                           .classes = t->classes,
                           .boxes = t->boxes,
                           .frames = t->frames};
}

exray_status xr_box_labels_make(const exray_comparison *comparison, exray_side side, xr_box_labels *out,
                                exray_error *error)
{
    *out = (xr_box_labels){0};
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    exray_status status = slot[0] && slot[1] ? EXRAY_OK : EXRAY_E_MEMORY;
    if (status != EXRAY_OK)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while reading boxes"};
    for (size_t i = 0; status == EXRAY_OK && i < exray_comparison_output_count(comparison); i++) {
        class_table t = {.broken = false};
        status = read_output(comparison, side, i, slot, &t, error);
        if (status == EXRAY_OK)
            judge(&t, out);
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return status;
}
