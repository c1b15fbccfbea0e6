#include "report/html/told/stage_results.h"

#include "compare/match/shapes.h"

#include <math.h>

enum { STAGES_MOST = 8, VALUES_MOST = 1 << 21, SIDE_LEAST = 8, IDS = 65536 };

static bool is_integer(exray_dtype t)
{
    return t == EXRAY_DTYPE_INT8 || t == EXRAY_DTYPE_UINT8 || t == EXRAY_DTYPE_INT16 ||
           t == EXRAY_DTYPE_UINT16 || t == EXRAY_DTYPE_INT32 || t == EXRAY_DTYPE_UINT32 ||
           t == EXRAY_DTYPE_INT64 || t == EXRAY_DTYPE_UINT64 || t == EXRAY_DTYPE_BOOL;
}

/* The map of classes that a stage is; NULL: it is none. */
static const exray_mask *mask_of(exray_told *told, const exray_tensor_view *view, const float *values)
{
    int64_t shape[EXRAY_MAX_RANK];
    if (!is_integer(view->info.dtype) || view->info.quantization.count ||
        xr_squeeze(&view->info, shape) != 2 || shape[0] < SIDE_LEAST || shape[1] < SIDE_LEAST)
        return NULL;
    exray_mask *mask = exray_told_room(told, 1, sizeof *mask);
    uint8_t *ids = exray_told_room(told, (size_t)view->count, 2);
    if (!mask || !ids)
        return NULL;
    for (uint64_t i = 0; i < view->count; i++) {
        double v = xr_value_at(values, i);
        unsigned id = v >= 0 && v < IDS ? (unsigned)v : IDS - 1;
        ids[2 * i] = (uint8_t)id;
        ids[2 * i + 1] = (uint8_t)(id >> 8);
    }
    *mask = (exray_mask){(uint32_t)shape[1], (uint32_t)shape[0], ids, 2 * (size_t)view->count, true};
    return mask;
}

static bool make_vector(exray_told *told, const char *name, const exray_tensor_view *view,
                        const float *values, exray_vector *out)
{
    float *kept = exray_told_room(told, (size_t)view->count, sizeof *kept);
    if (!kept)
        return false;
    memcpy(kept, values, (size_t)view->count * sizeof *kept);
    *out = (exray_vector){name, kept, (uint32_t)view->count};
    return true;
}

/* When the frame's first input was recorded; 0: never. */
static uint64_t time_of_input(const exray_record *record, size_t count)
{
    uint64_t first = UINT64_MAX;
    for (size_t i = 0; i < count; i++)
        if (record[i].message == EXRAY_MESSAGE_TENSOR && record[i].kind == EXRAY_KIND_INPUT &&
            record[i].log_time < first)
            first = record[i].log_time;
    return first == UINT64_MAX ? 0 : first;
}

bool xr_told_add_stages(xr_page *p, exray_side side, size_t frame, exray_result *result)
{
    const exray_log *log = exray_comparison_log(p->comparison, side);
    size_t position = exray_comparison_frame(p->comparison, frame).frame[side];
    const exray_record *record = exray_log_records(log, position);
    size_t count = exray_log_frame(log, position)->record_count;
    uint64_t input = time_of_input(record, count);
    exray_vector *vectors = NULL;
    uint32_t made = 0;
    bool any = false;
    for (size_t i = 0; i < count && made < STAGES_MOST; i++) {
        exray_tensor_view view;
        const float *values;
        exray_error error;
        if (record[i].message != EXRAY_MESSAGE_TENSOR || record[i].kind != EXRAY_KIND_STAGE ||
            !record[i].has_data || record[i].log_time < input ||
            exray_log_read_values(log, &record[i], p->truth_slot, &view, &values, &error) != EXRAY_OK ||
            view.count == 0 || view.count > VALUES_MOST)
            continue;
        const exray_mask *mask = result->mask ? NULL : mask_of(p->told[side], &view, values);
        if (!vectors)
            vectors = exray_told_room(p->told[side], STAGES_MOST, sizeof *vectors);
        if (mask)
            result->mask = mask;
        else if (vectors && make_vector(p->told[side], record[i].name, &view, values, &vectors[made]))
            made++;
        any = true;
    }
    if (made && result->vector_count == 0) {
        result->vectors = vectors;
        result->vector_count = made;
    }
    return any;
}
