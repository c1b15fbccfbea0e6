#include "checks/told/boxes/box_rows.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

enum { MOST_ROWS = 2000, NONE = -1 };

/* Scores told in two digits. */
#define SAME_SCORE 0.0055

/* ---- Rows --------------------------------------------------------------------------------------- */

typedef struct row_reader {
    const exray_comparison *comparison;
    exray_side side;
    exray_slot *slot;
    int boxes, classes, scores; /* pairs of outputs, or NONE */
    xr_told_box *row;           /* [MOST_ROWS] of the frame read last */
    size_t count;
} row_reader;

static bool read_output(row_reader *r, size_t frame, int pair, exray_tensor_view *view, const float **values)
{
    exray_error error;
    return exray_comparison_values(r->comparison, r->side, frame, EXRAY_KIND_OUTPUT, (size_t)pair, r->slot,
                                   view, values, &error) == EXRAY_OK;
}

static bool are_whole(const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float v = values[i];
        if (v != rintf(v) || fabsf(v) > 1e6F)
            return false;
    }
    return true;
}

/* Which outputs are the boxes, and the classes and scores of as many. */
static void find_outputs(row_reader *r, size_t frame)
{
    int count = (int)exray_comparison_output_count(r->comparison);
    exray_tensor_view view;
    const float *values;
    uint64_t rows = 0;
    r->boxes = r->classes = r->scores = NONE;
    for (int i = 0; i < count && r->boxes == NONE; i++) {
        bool ok = read_output(r, frame, i, &view, &values) && view.info.rank >= 2 &&
                  view.info.shape[view.info.rank - 1] == 4 && view.count / 4 <= MOST_ROWS;
        r->boxes = ok ? i : NONE;
        rows = ok ? view.count / 4 : 0;
    }
    for (int i = 0; i < count && rows > 1; i++) {
        if (i == r->boxes || !read_output(r, frame, i, &view, &values) || view.count != rows)
            continue;
        if (are_whole(values, (size_t)rows))
            r->classes = i;
        else
            r->scores = i;
    }
}

static bool reader_begin(row_reader *r, const exray_comparison *comparison, exray_side side)
{
    *r = (row_reader){comparison, side, exray_slot_new(), NONE, NONE, NONE, calloc(MOST_ROWS, sizeof *r->row),
                      0};
    return r->slot && r->row;
}

static void reader_end(row_reader *r)
{
    exray_slot_free(r->slot);
    free(r->row);
}

/* False: the frame has no such outputs. */
static bool read_rows(row_reader *r, size_t frame)
{
    exray_tensor_view view;
    const float *values;
    if (r->boxes == NONE)
        find_outputs(r, frame);
    if (r->boxes == NONE || r->classes == NONE || r->scores == NONE ||
        !read_output(r, frame, r->boxes, &view, &values) || view.count / 4 > MOST_ROWS)
        return false;
    r->count = (size_t)view.count / 4;
    for (size_t i = 0; i < 4 * r->count; i++)
        r->row[i / 4].at[i % 4] = values[i];
    if (!read_output(r, frame, r->classes, &view, &values) || view.count != r->count)
        return false;
    for (size_t i = 0; i < r->count; i++) {
        double id = values[i];
        r->row[i].id = fabs(id) < 1e9 ? (int64_t)id : -1;
    }
    if (!read_output(r, frame, r->scores, &view, &values) || view.count != r->count)
        return false;
    for (size_t i = 0; i < r->count; i++)
        r->row[i].score = values[i];
    return true;
}

/* ---- What was told of them ---------------------------------------------------------------------- */

/* The told boxes are rows, in their order: row[i] of `told` box i.  False: they are not. */
static bool follow(const row_reader *r, const xr_told_box *told, size_t count, int64_t offset, size_t *row)
{
    size_t next = 0;
    for (size_t i = 0; i < count; i++) {
        while (next < r->count && (r->row[next].id + offset != told[i].id ||
                                   !(fabs(r->row[next].score - told[i].score) <= SAME_SCORE)))
            next++;
        if (next == r->count)
            return false;
        row[i] = next++;
    }
    return true;
}

static void note_untold(const row_reader *r, const size_t *row, size_t count, xr_box_habit *habit)
{
    for (size_t i = 0, k = 0; i < r->count; i++) {
        bool told = k < count && row[k] == i;
        k += told;
        if (told)
            habit->told = fmin(habit->told, r->row[i].score);
        else if (isfinite(r->row[i].score))
            habit->untold = fmax(habit->untold, r->row[i].score);
    }
}

static bool add_frame(const row_reader *r, const xr_told_box *told, size_t count, const size_t *row,
                      xr_box_frame *to)
{
    *to = (xr_box_frame){.exact = true, .told = {true, true}, .count = {count, count}};
    to->box[0] = calloc(count + 1, sizeof *to->box[0]);
    to->box[1] = calloc(count + 1, sizeof *to->box[1]);
    for (size_t i = 0; to->box[0] && to->box[1] && i < count; i++) {
        to->box[0][i] = told[i];
        to->box[1][i] = r->row[row[i]];
        to->box[1][i].id = told[i].id;
        to->box[1][i].score = told[i].score;
    }
    return to->box[0] && to->box[1];
}

/* The frames of rows and told boxes; known stays false where a box is no row. */
static bool collect(row_reader *r, const xr_box_frames *told, xr_box_habit *habit, xr_box_frames *own)
{
    static const int64_t offsets[] = {0, 1, -1};
    size_t *row = calloc(told->most[r->side] + 1, sizeof *row), begin = 0;
    bool ok = row != NULL, known = true;
    for (size_t f = 0; ok && known && f < told->count; f++) {
        const xr_box_frame *at = &told->frame[f];
        const xr_told_box *box = at->box[r->side];
        size_t count = at->count[r->side];
        habit->place[f] = SIZE_MAX;
        if (!at->told[r->side] || !read_rows(r, at->frame))
            continue;
        known = false;
        for (size_t o = begin; o < 3 && !known; o++) {
            habit->offset = offsets[o];
            known = follow(r, box, count, habit->offset, row);
            begin = known && count ? o : begin;
            if (own->count && own->boxes[0])
                break; /* the offset is known */
        }
        if (!known)
            break;
        note_untold(r, row, count, habit);
        own->boxes[0] += count;
        habit->place[f] = own->count;
        ok = add_frame(r, box, count, row, &own->frame[own->count++]);
    }
    habit->known = known && own->boxes[0] > 0 && habit->untold <= habit->told + SAME_SCORE;
    free(row);
    return ok;
}

static bool is_plain(const xr_box_story *s)
{
    return s->way == XR_BOXES_SAME || (s->way == XR_BOXES_TURNED && s->rule.map.turn == XR_TURN_EXCHANGED);
}

exray_status xr_box_habit_make(const exray_comparison *comparison, const xr_box_frames *told, exray_side side,
                               xr_box_habit *out, exray_error *error)
{
    row_reader r;
    xr_box_frames own = {.frame = calloc(told->count + 1, sizeof *own.frame)};
    *out = (xr_box_habit){.told = INFINITY, .untold = -INFINITY};
    out->place = calloc(told->count + 1, sizeof *out->place);
    bool ok = reader_begin(&r, comparison, side) && own.frame && out->place && collect(&r, told, out, &own);
    reader_end(&r);
    if (ok && out->known) {
        xr_box_frames_sum(&own);
        ok = xr_box_search(&own, &out->story);
        bool explained = out->story.way == XR_BOXES_SAME || out->story.way == XR_BOXES_TURNED ||
                         out->story.way == XR_BOXES_PLACED || out->story.way == XR_BOXES_FORM;
        out->known = ok && explained && !out->story.shifted && out->story.missing + out->story.extra == 0;
        out->plain = out->known && is_plain(&out->story);
        out->frames = own.count;
    }
    xr_box_frames_free(&own);
    if (!ok)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing boxes with outputs"};
    return ok ? EXRAY_OK : EXRAY_E_MEMORY;
}

void xr_box_habit_free(xr_box_habit *habit)
{
    xr_box_story_free(&habit->story);
    free(habit->place);
    *habit = (xr_box_habit){0};
}

/* ---- What would have been told ------------------------------------------------------------------- */

static bool has_like(const xr_told_box *box, size_t count, const xr_told_box *like)
{
    for (size_t i = 0; i < count; i++)
        if (box[i].id == like->id && fabs(box[i].score - like->score) <= SAME_SCORE)
            return true;
    return false;
}

/* Whether the reference tells a row of that score; between the lowest told and the highest untold nobody
 * knows, and the edge is right. */
static bool is_told(const xr_box_habit *h, const xr_told_box *box, const xr_box_frame *f)
{
    if (box->score >= h->told - 1e-6)
        return true;
    return box->score > h->untold && has_like(f->box[EXRAY_SIDE_EDGE], f->count[EXRAY_SIDE_EDGE], box);
}

static bool expect_frame(const row_reader *r, const xr_box_habit *h, const xr_box_map *map, xr_box_frame *f)
{
    xr_told_box *made = calloc(r->count + 1, sizeof *made);
    size_t count = 0;
    for (size_t i = 0; made && i < r->count; i++) {
        xr_told_box box = r->row[i];
        box.id += h->offset;
        xr_box_map_apply(map, r->row[i].at, box.at);
        if (is_told(h, &box, f))
            made[count++] = box;
    }
    if (!made)
        return false;
    free(f->box[EXRAY_SIDE_REFERENCE]);
    f->box[EXRAY_SIDE_REFERENCE] = made;
    f->count[EXRAY_SIDE_REFERENCE] = count;
    f->exact = true;
    return true;
}

exray_status xr_box_expect(const exray_comparison *comparison, const xr_box_habit *reference,
                           xr_box_frames *told, exray_error *error)
{
    row_reader r;
    bool ok = reader_begin(&r, comparison, EXRAY_SIDE_EDGE);
    const xr_box_rule *rule = &reference->story.rule;
    for (size_t f = 0; ok && reference->known && f < told->count; f++) {
        size_t place = reference->place[f];
        if (told->frame[f].exact || !told->frame[f].told[0] || place == SIZE_MAX ||
            !read_rows(&r, told->frame[f].frame))
            continue;
        ok = expect_frame(&r, reference, rule->own ? &rule->own[place] : &rule->map, &told->frame[f]);
    }
    reader_end(&r);
    xr_box_frames_sum(told);
    if (!ok)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing boxes with outputs"};
    return ok ? EXRAY_OK : EXRAY_E_MEMORY;
}
