#include "checks/input/tokens/token_story.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_LATE = 8 };

/* ---- What differs ---------------------------------------------------------------------------------- */

static void count_differences(const xr_token_texts *texts, xr_token_story *s)
{
    s->texts = texts->count;
    for (size_t i = 0; i < texts->count; i++) {
        const xr_token_text *t = &texts->text[i];
        s->ids += xr_token_length(t, EXRAY_SIDE_REFERENCE);
        if (xr_token_is_equal(t))
            continue;
        s->affected++;
        for (size_t k = 0; k < t->places; k++)
            if (t->id[0][k] != t->id[1][k] && s->differing++ == 0) {
                s->first_text = i;
                s->first_place = k;
            }
    }
}

/* ---- Rows of other frames ---------------------------------------------------------------------------- */

static bool same_row(const xr_token_text *edge, const xr_token_text *reference)
{
    return edge->places == reference->places && edge->row == reference->row &&
           memcmp(edge->id[0], reference->id[1], edge->places * sizeof *edge->id[0]) == 0;
}

/* Texts of several frames in order: edge row i is the reference's i - late, in all that have one. */
static bool is_late(const xr_token_texts *texts, int late)
{
    size_t seen = 0, differing = 0;
    for (size_t i = 0; i < texts->count; i++) {
        if ((late > 0 && i < (size_t)late) || (late < 0 && i + (size_t)-late >= texts->count))
            continue;
        size_t other = late > 0 ? i - (size_t)late : i + (size_t)-late;
        if (!same_row(&texts->text[i], &texts->text[other]))
            return false;
        seen++;
        differing += !xr_token_is_equal(&texts->text[i]);
    }
    return seen >= 2 && differing >= 2;
}

/* Whether each row that differs, of some frames only, is the reference's of `late` frames before; a row of
 * few ids may be so by chance. */
static bool is_late_in_some(const xr_token_texts *texts, int late)
{
    enum { FEWEST_IDS = 4 };
    size_t seen = 0;
    for (size_t i = 0; i < texts->count; i++) {
        const xr_token_text *t = &texts->text[i];
        if (xr_token_is_equal(t))
            continue;
        if ((late > 0 && i < (size_t)late) || (late < 0 && i + (size_t)-late >= texts->count) ||
            xr_token_length(t, EXRAY_SIDE_EDGE) < FEWEST_IDS ||
            !same_row(t, &texts->text[late > 0 ? i - (size_t)late : i + (size_t)-late]))
            return false;
        seen++;
    }
    return seen > 0;
}

static bool find_frame_order(const xr_token_texts *texts, xr_token_story *s)
{
    for (int late = 1; late <= MOST_LATE; late++)
        for (int sign = 1; sign >= -1; sign -= 2)
            if (texts->text[texts->count - 1].row == 0 &&
                (is_late(texts, sign * late) || is_late_in_some(texts, sign * late))) {
                s->frame_order = true;
                s->frames_late = sign * late;
                return true;
            }
    return false;
}

/* ---- What an earlier frame left in the row ----------------------------------------------------------------
 */

static bool is_stale(const xr_token_texts *texts, size_t i, bool *shows)
{
    const xr_token_text *t = &texts->text[i], *before = i ? &texts->text[i - 1] : NULL;
    int64_t pad = texts->padding[EXRAY_SIDE_REFERENCE].id;
    if (memcmp(t->id[0], t->id[1], t->end[1] * sizeof *t->id[0]) != 0)
        return false;
    for (size_t k = t->end[1]; k < t->places; k++) {
        if (t->id[0][k] == pad)
            continue;
        if (before && k < before->places && t->id[0][k] != before->id[0][k])
            return false;
        *shows = *shows || before;
    }
    return true;
}

static bool find_stale(const xr_token_texts *texts, xr_token_story *s)
{
    const xr_token_padding *p = &texts->padding[EXRAY_SIDE_REFERENCE];
    bool shows = false;
    if (!p->known || p->front || texts->open)
        return false;
    for (size_t i = 0; i < texts->count; i++)
        if (texts->text[i].row > 0 || !is_stale(texts, i, &shows))
            return false;
    s->stale = shows;
    return shows;
}

/* ---- Whole rows, padding included
 * ---------------------------------------------------------------------------- */

/* Whether all that differs is text of the reference's beyond the end of the edge's, where the edge pads: the
 * text is cut. */
static bool is_cut(const xr_token_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++) {
        const xr_token_text *t = &texts->text[i];
        for (size_t k = 0; k < t->places; k++)
            if (t->id[0][k] != t->id[1][k] && k >= t->begin[0] && k < t->end[0])
                return false;
    }
    return texts->padding[0].known;
}

/* Whether what differs is all of the padding around the reference's texts, and nothing else. */
static bool is_padding_alone(const xr_token_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++) {
        const xr_token_text *t = &texts->text[i];
        for (size_t k = 0; k < t->places; k++)
            if ((t->id[0][k] == t->id[1][k]) != (k >= t->begin[1] && k < t->end[1]))
                return false;
    }
    return texts->padding[EXRAY_SIDE_REFERENCE].known;
}

static bool find_in_rows(const xr_token_texts *texts, xr_token_pair *pair, xr_token_story *s)
{
    size_t count = 0;
    if (texts->open)
        return false; /* there is nothing around the texts */
    for (size_t i = 0; i < texts->count; i++)
        for (size_t k = 0; k < texts->text[i].places; k++)
            pair[count++] = (xr_token_pair){texts->text[i].id[0][k], texts->text[i].id[1][k]};
    xr_token_map_find(pair, count, &s->map);
    switch (s->map.kind) {
    case XR_TOKEN_MAP_ONE_ID:
        s->padding_id = is_padding_alone(texts);
        s->whole_rows = s->padding_id || (!is_cut(texts) && s->map.mixed == 0);
        break;
    case XR_TOKEN_MAP_OFFSET:
    case XR_TOKEN_MAP_EXCHANGED:
        s->whole_rows = s->map.mixed == 0;
        break;
    case XR_TOKEN_MAP_ONE_EDGE:
        s->whole_rows = !is_cut(texts) && s->map.ids[EXRAY_SIDE_REFERENCE] >= 2;
        break;
    default:
        break;
    }
    if (s->whole_rows)
        s->place = (xr_token_place){.kind = XR_TOKEN_PLACE_SAME};
    return s->whole_rows;
}

/* ---- The texts, without padding
 * -------------------------------------------------------------------------------- */

/* Once the texts are explained: how the rows around them differ. */
static void find_padding(const xr_token_texts *texts, xr_token_story *s)
{
    const xr_token_padding *edge = &texts->padding[0], *reference = &texts->padding[1];
    if (edge->known && reference->known) {
        s->padding_id = edge->id != reference->id;
        s->padding_side = edge->front != reference->front;
    }
    if (s->padding_side || s->place.kind != XR_TOKEN_PLACE_SAME)
        return;
    for (size_t i = 0; i < texts->count; i++) {
        const xr_token_text *t = &texts->text[i];
        int64_t moved = (int64_t)t->begin[0] - (int64_t)t->begin[1];
        if (i > 0 && moved != s->moved) {
            s->moved = 0;
            return;
        }
        s->moved = moved;
    }
}

static bool find_in_texts(const xr_token_texts *texts, xr_token_pair *pair, xr_token_story *s)
{
    if (xr_token_place_find(texts, &s->place)) {
        s->map = (xr_token_map){.kind = XR_TOKEN_MAP_EQUAL};
        return true;
    }
    return xr_token_place_find_mapped(texts, pair, &s->place, &s->map);
}

/* Rows of which nothing but the length tells: ids in the same places, no more is known. */
static void find_weak(const xr_token_texts *texts, xr_token_pair *pair, xr_token_story *s)
{
    xr_token_map map;
    s->place = (xr_token_place){.kind = XR_TOKEN_PLACE_SAME};
    size_t count = xr_token_place_pairs(texts, &s->place, pair);
    s->map = (xr_token_map){.kind = XR_TOKEN_MAP_NONE};
    if (count == SIZE_MAX || count == 0)
        return;
    xr_token_map_find(pair, count, &map);
    /* As many ids in every text, and none of them the same: another vocabulary, though nothing repeats. */
    if (map.kind == XR_TOKEN_MAP_ONE_TO_ONE && 4 * map.differing >= 3 * map.places && map.mixed == 0)
        s->map = map;
}

/* Whether rows that are full on both sides are all that differs: long texts are cut otherwise, in a way that
 * they do not show. */
static bool are_long_ones(const xr_token_texts *texts, xr_token_place *out)
{
    size_t shorter = 0;
    *out = (xr_token_place){.kind = XR_TOKEN_PLACE_OTHER_END};
    for (size_t i = 0; i < texts->count; i++) {
        const xr_token_text *t = &texts->text[i];
        bool full = xr_token_is_full(t, 0) && xr_token_is_full(t, 1), equal = xr_token_is_equal(t);
        if (!equal && !full)
            return false;
        out->texts += !equal;
        shorter += equal && !full;
    }
    return shorter >= 2;
}

static bool is_one_kind(const xr_token_edits *e)
{
    return e->kind != XR_TOKEN_EDITS_OTHER && e->equal > 0;
}

static void find_edits(const xr_token_texts *texts, xr_token_pair *pair, xr_token_story *s)
{
    s->has_edits = xr_token_edits_find(texts, &s->edits);
    s->explained = s->has_edits && is_one_kind(&s->edits);
    if (s->explained)
        return;
    xr_token_place place;
    if (are_long_ones(texts, &place))
        s->place = place;
    else
        find_weak(texts, pair, s);
    if (s->map.kind == XR_TOKEN_MAP_NONE && s->place.kind == XR_TOKEN_PLACE_SAME)
        return;
    xr_token_edits_free(&s->edits);
    s->has_edits = false;
    s->explained = true;
}

bool xr_token_story_make(const xr_token_texts *texts, xr_token_story *out)
{
    *out = (xr_token_story){.explained = false};
    count_differences(texts, out);
    xr_token_pair *pair = malloc((size_t)(texts->ids + 1) * sizeof *pair);
    if (!pair)
        return false;
    if (out->affected == 0 || find_frame_order(texts, out) || find_stale(texts, out) ||
        find_in_rows(texts, pair, out))
        out->explained = true;
    else {
        out->padding_id = false;
        out->explained = find_in_texts(texts, pair, out);
        if (!out->explained)
            find_edits(texts, pair, out);
        find_padding(texts, out);
    }
    free(pair);
    return true;
}

void xr_token_story_free(xr_token_story *story)
{
    xr_token_edits_free(&story->edits);
}

/* ---- Which place belongs to which
 * ---------------------------------------------------------------------------- */

void xr_token_story_align(const xr_token_texts *texts, const xr_token_story *story, size_t text, size_t *from)
{
    const xr_token_text *t = &texts->text[text];
    for (size_t k = 0; k < t->places; k++)
        from[k] = story->whole_rows || story->stale ? k : SIZE_MAX;
    if (story->whole_rows || story->stale)
        return;
    if (story->has_edits) {
        const size_t *match = story->edits.match + story->edits.start[text];
        for (size_t k = 0; k < xr_token_length(t, 0); k++)
            if (match[k] != SIZE_MAX)
                from[t->begin[0] + k] = t->begin[1] + match[k];
        return;
    }
    xr_token_run run[XR_TOKEN_RUNS];
    size_t n = xr_token_place_runs(t, &story->place, run);
    for (size_t i = 0; n != SIZE_MAX && i < n; i++)
        for (size_t k = 0; k < run[i].length; k++)
            from[t->begin[0] + run[i].edge + k] = t->begin[1] + run[i].reference + k;
}
