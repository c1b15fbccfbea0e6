#include "compare/measure/padded_rows.h"

#include "compare/match/pairs.h"

#include <math.h>

/* Sound is whole numbers on both sides of zero; no id is below it but as padding. */
enum { LEAST_ID = -100 };

/* Rows of one input: the shorter ones, and the longer ones. */
typedef struct padded_rows {
    const float *shorter, *longer;
    size_t rows, least, most; /* values in a row */
} padded_rows;

/* What the inputs of a frame have shown so far, with the rest behind the rows [0] or in front of them [1]. */
typedef struct padded_seen {
    bool fits;
    bool masked; /* a mask is zero over the rest */
    bool varies; /* the rest is more than one id somewhere */
} padded_seen;

static bool is_row_type(const exray_tensor_info *info)
{
    return info->quantization.count == 0 && info->rank > 0 && info->rank <= 2;
}

/* Whether two shapes differ in the rows' length alone. */
static bool find_rows(const exray_tensor_view view[2], const float *const value[2], padded_rows *out)
{
    const exray_tensor_info *a = &view[0].info, *b = &view[1].info;
    if (!is_row_type(a) || !is_row_type(b) || a->rank != b->rank ||
        (a->rank == 2 && a->shape[0] != b->shape[0]))
        return false;
    const int64_t rows = a->rank == 2 ? a->shape[0] : 1,
                  n[2] = {a->shape[a->rank - 1], b->shape[b->rank - 1]};
    if (rows <= 0 || n[0] <= 0 || n[1] <= 0 || n[0] == n[1])
        return false;
    const int more = n[1] > n[0];
    *out = (padded_rows){.shorter = value[!more],
                         .longer = value[more],
                         .rows = (size_t)rows,
                         .least = (size_t)n[!more],
                         .most = (size_t)n[more]};
    for (int s = 0; s < 2; s++)
        if (view[s].count / (uint64_t)n[s] != (uint64_t)rows || view[s].count % (uint64_t)n[s] != 0)
            return false;
    return true;
}

static bool are_ids(const float *value, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!(value[i] >= LEAST_ID) || value[i] != floorf(value[i]))
            return false;
    return true;
}

static bool are_flags(const float *value, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (value[i] != 0 && value[i] != 1)
            return false;
    return true;
}

/* The longer row's rest, of `most - least` values. */
static const float *rest_of(const padded_rows *r, size_t row, bool front)
{
    return r->longer + row * r->most + (front ? 0 : r->least);
}

static bool is_kept(const padded_rows *r, size_t row, bool front)
{
    const float *a = r->shorter + row * r->least,
                *b = r->longer + row * r->most + (front ? r->most - r->least : 0);
    for (size_t i = 0; i < r->least; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

/* A row of zeros and ones may have a rest of zeros alone; ones in the row make it a mask, or types. */
static void see_flags(const padded_rows *r, size_t row, bool front, bool *masked, padded_seen *seen)
{
    const float *rest = rest_of(r, row, front);
    bool any = false;
    for (size_t i = 0; i < r->most - r->least; i++)
        seen->fits = seen->fits && rest[i] == 0;
    for (size_t i = 0; i < r->least; i++)
        any = any || r->shorter[row * r->least + i] == 1;
    *masked = *masked && any;
}

static void see_ids(const padded_rows *r, size_t row, bool front, float *padding, padded_seen *seen)
{
    const float *rest = rest_of(r, row, front);
    for (size_t i = 0; i < r->most - r->least; i++) {
        *padding = isnan(*padding) ? rest[i] : *padding;
        seen->varies = seen->varies || rest[i] != *padding;
    }
}

static void see(const padded_rows *r, bool front, padded_seen *seen)
{
    const bool flags = are_flags(r->longer, r->rows * r->most) && are_flags(r->shorter, r->rows * r->least);
    bool masked = flags;
    float padding = NAN;
    for (size_t row = 0; row < r->rows && seen->fits; row++) {
        seen->fits = is_kept(r, row, front);
        if (flags)
            see_flags(r, row, front, &masked, seen);
        else
            see_ids(r, row, front, &padding, seen);
    }
    seen->masked = seen->masked || masked;
}

/* Reads one input's rows on both sides. */
static bool read_rows(const exray_comparison *c, const xr_pair *pair, size_t frame, exray_slot *slot[2],
                      padded_rows *out)
{
    exray_tensor_view view[2];
    const float *value[2];
    exray_error ignored;
    for (int s = 0; s < 2; s++) {
        const exray_record *record = xr_pair_record(c, pair, (exray_side)s, frame);
        if (!record || !record->has_data ||
            exray_log_read_values(c->log[s], record, slot[s], &view[s], &value[s], &ignored) != EXRAY_OK)
            return false;
    }
    return find_rows(view, value, out) && are_ids(out->shorter, out->rows * out->least) &&
           are_ids(out->longer, out->rows * out->most);
}

bool xr_rows_differ_by_padding(const exray_comparison *comparison, size_t frame, exray_slot *slot[2])
{
    padded_seen seen[2] = {{.fits = true}, {.fits = true}};
    bool any = false;
    for (size_t i = 0; i < comparison->inputs.count; i++) {
        const xr_pair *pair = &comparison->inputs.pair[i];
        padded_rows rows;
        if (!pair->differs[frame])
            continue;
        if (!read_rows(comparison, pair, frame, slot, &rows))
            return false;
        for (int front = 0; front < 2; front++)
            see(&rows, front, &seen[front]);
        any = true;
    }
    for (int front = 0; any && front < 2; front++)
        if (seen[front].fits && (seen[front].masked || !seen[front].varies))
            return true;
    return false;
}
