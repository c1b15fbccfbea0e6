#include "checks/told/text/text_search.h"

#include "checks/told/text/text_changes.h"

#include <stdlib.h>
#include <string.h>

enum { FURTHEST_LAG = 4, MOST_LETTERS = 512 };

/* Where inputs alone are known, and kernels may be others, so many frames may read a letter or two otherwise.
 */
#define NOISY_SHARE 0.1

typedef struct text_work {
    const xr_text_frames *frames;
    xr_text_story *story;
    xr_told_text room[3];
} text_work;

static const xr_text_frame *frame_at(const text_work *w, size_t f)
{
    return &w->frames->frame[f];
}

/* ---- Ways that each frame shows by itself -------------------------------------------------------- */

typedef bool explains(text_work *w, const xr_told_text *edge, const xr_told_text *reference);

static bool is_none(text_work *w, const xr_told_text *edge, const xr_told_text *reference)
{
    (void)w;
    return edge->count == 0 && reference->count > 0;
}

static bool is_added(text_work *w, const xr_told_text *edge, const xr_told_text *reference)
{
    (void)w;
    return edge->count > 0 && reference->count == 0;
}

static bool merge_alike(text_work *w, const xr_told_text *edge, const xr_told_text *reference)
{
    xr_merge_repeats(edge, &w->room[0]);
    xr_merge_repeats(reference, &w->room[1]);
    return xr_same_told_text(&w->room[0], &w->room[1]);
}

static bool is_repeated(text_work *w, const xr_told_text *edge, const xr_told_text *reference)
{
    return edge->count > reference->count && merge_alike(w, edge, reference);
}

static bool is_merged(text_work *w, const xr_told_text *edge, const xr_told_text *reference)
{
    return edge->count < reference->count && merge_alike(w, edge, reference);
}

static bool has_token(text_work *w, const xr_told_text *edge, const xr_told_text *reference)
{
    xr_without_token(edge, &w->story->token, &w->room[0]);
    return xr_same_told_text(&w->room[0], reference);
}

static bool is_raw(text_work *w, const xr_told_text *edge, const xr_told_text *reference)
{
    xr_merge_repeats(edge, &w->room[0]);
    xr_without_token(&w->room[0], &w->story->token, &w->room[1]);
    return xr_same_told_text(&w->room[1], reference);
}

static bool other_blanks(text_work *w, const xr_told_text *edge, const xr_told_text *reference)
{
    xr_without_blanks(edge, &w->room[0]);
    xr_without_blanks(reference, &w->room[1]);
    return xr_same_told_text(&w->room[0], &w->room[1]);
}

static bool other_case(text_work *w, const xr_told_text *edge, const xr_told_text *reference)
{
    xr_lower_case(edge, &w->room[0]);
    xr_lower_case(reference, &w->room[1]);
    return xr_same_told_text(&w->room[0], &w->room[1]);
}

static bool is_reversed(text_work *w, const xr_told_text *edge, const xr_told_text *reference)
{
    xr_reversed_text(edge, &w->room[0]);
    return xr_same_told_text(&w->room[0], reference);
}

static bool other_words(text_work *w, const xr_told_text *edge, const xr_told_text *reference)
{
    (void)w;
    return xr_same_words(edge, reference);
}

static bool is_cut(text_work *w, const xr_told_text *edge, const xr_told_text *reference)
{
    (void)w;
    return edge->count > 0 && xr_common_beginning(edge, reference) == edge->count;
}

static bool is_longer(text_work *w, const xr_told_text *edge, const xr_told_text *reference)
{
    return is_cut(w, reference, edge);
}

/* Noise abstains. */
static bool adopt(text_work *w, xr_text_way way, explains *explain)
{
    size_t supporting = 0;
    for (size_t f = 0; f < w->frames->count; f++) {
        const xr_text_frame *at = frame_at(w, f);
        if (!at->differs)
            continue;
        bool so = explain(w, &at->text[0], &at->text[1]);
        if (!so && !at->noisy)
            return false;
        supporting += so;
    }
    if (supporting == 0 || 2 * supporting < w->frames->differ)
        return false;
    w->story->way = way;
    w->story->supporting = supporting;
    return true;
}

/* The first frame that differs, one that noise cannot have changed where there is one. */
static const xr_text_frame *clearest(const text_work *w)
{
    const xr_text_frame *found = NULL;
    for (size_t f = 0; f < w->frames->count; f++) {
        const xr_text_frame *at = frame_at(w, f);
        if (at->differs && at->text[0].count && (!found || (found->noisy && !at->noisy)))
            found = at;
    }
    return found;
}

/* A token is what that text has where it leaves the reference's. */
static bool adopt_token(text_work *w, xr_text_way way, explains *explain)
{
    const xr_text_frame *at = clearest(w);
    xr_told_text *edge = &w->room[2];
    if (!at)
        return false;
    memcpy(edge->letter, at->text[0].letter, at->text[0].count * sizeof *edge->letter);
    edge->count = at->text[0].count;
    if (way == XR_TEXTS_RAW)
        xr_merge_repeats(&at->text[0], edge);
    size_t begin = xr_common_beginning(edge, &at->text[1]);
    w->story->token.letter = w->story->token_letters;
    for (size_t n = 1; n <= XR_LONGEST_TOKEN && begin + n <= edge->count; n++) {
        memcpy(w->story->token_letters, edge->letter + begin, n * sizeof *edge->letter);
        w->story->token.count = n;
        if (adopt(w, way, explain))
            return true;
    }
    return false;
}

/* ---- Ways that several frames show together ------------------------------------------------------- */

static bool try_lag(text_work *w, long lag)
{
    size_t fits = 0, changes = 0;
    for (size_t f = 0; f < w->frames->count; f++) {
        long from = (long)f - lag;
        if (from < 0 || (size_t)from >= w->frames->count)
            continue;
        bool so = xr_same_told_text(&frame_at(w, f)->text[0], &frame_at(w, (size_t)from)->text[1]);
        if (!so && !frame_at(w, f)->noisy)
            return false;
        fits += so;
        changes += so && frame_at(w, f)->differs;
    }
    if (changes < 2 || fits < 2)
        return false;
    w->story->way = XR_TEXTS_LATE;
    w->story->lag = lag;
    w->story->supporting = changes;
    return true;
}

static bool try_lags(text_work *w)
{
    for (long lag = 1; lag <= FURTHEST_LAG; lag++)
        if (try_lag(w, lag) || try_lag(w, -lag))
            return true;
    return false;
}

/* One text of the edge for each of the reference's, and the reverse; *repeats: how often one that is another
 * came up again. */
static bool is_one_to_one(const text_work *w, size_t *repeats)
{
    *repeats = 0;
    for (size_t f = 0; f < w->frames->count; f++)
        for (size_t k = 0; k < f; k++) {
            bool edge = xr_same_told_text(&frame_at(w, f)->text[0], &frame_at(w, k)->text[0]);
            bool reference = xr_same_told_text(&frame_at(w, f)->text[1], &frame_at(w, k)->text[1]);
            if (edge != reference)
                return false;
            *repeats += reference && frame_at(w, f)->differs;
        }
    return true;
}

static bool reference_tells(const text_work *w, const xr_told_text *text)
{
    for (size_t f = 0; f < w->frames->count; f++)
        if (xr_same_told_text(&frame_at(w, f)->text[1], text))
            return true;
    return false;
}

/* exchanged: the edge's texts are all the reference's, and some came up again. */
static bool try_names(text_work *w, bool exchanged)
{
    enum { MOST = 2000 }; /* frames; each is compared with each */
    size_t repeats, others = 0;
    if (w->frames->count > MOST || !is_one_to_one(w, &repeats))
        return false;
    for (size_t f = 0; f < w->frames->count; f++)
        others += frame_at(w, f)->differs && !reference_tells(w, &frame_at(w, f)->text[0]);
    /* Without repeats, an exchange is one of many orders. */
    if (others ? !repeats || exchanged : exchanged && !repeats)
        return false;
    w->story->way = others ? XR_TEXTS_RENAMED : XR_TEXTS_EXCHANGED;
    w->story->supporting = w->frames->differ;
    return true;
}

static bool try_constant(text_work *w)
{
    bool varied = false;
    for (size_t f = 1; f < w->frames->count; f++) {
        if (!xr_same_told_text(&frame_at(w, f)->text[0], &frame_at(w, 0)->text[0]))
            return false;
        varied = varied || !xr_same_told_text(&frame_at(w, f)->text[1], &frame_at(w, 0)->text[1]);
    }
    if (!varied || frame_at(w, 0)->text[0].count == 0)
        return false;
    w->story->way = XR_TEXTS_CONSTANT;
    w->story->supporting = w->frames->differ;
    return true;
}

/* ---- Letters ----------------------------------------------------------------------------------------- */

typedef struct letter_map {
    uint32_t from[MOST_LETTERS], to[MOST_LETTERS];
    size_t count, changed, again;
} letter_map;

static bool add_letter(letter_map *m, uint32_t from, uint32_t to)
{
    for (size_t i = 0; i < m->count; i++) {
        if ((m->from[i] == from) != (m->to[i] == to))
            return false;
        if (m->from[i] == from) {
            m->again += from != to;
            return true;
        }
    }
    if (m->count == MOST_LETTERS)
        return false;
    m->from[m->count] = from;
    m->to[m->count++] = to;
    m->changed += from != to;
    return true;
}

static bool try_letters(text_work *w)
{
    letter_map *m = calloc(1, sizeof *m);
    bool holds = m != NULL;
    for (size_t f = 0; holds && f < w->frames->count; f++) {
        const xr_told_text *edge = &frame_at(w, f)->text[0], *reference = &frame_at(w, f)->text[1];
        holds = edge->count == reference->count;
        for (size_t i = 0; holds && i < edge->count; i++)
            holds = add_letter(m, reference->letter[i], edge->letter[i]);
    }
    holds = holds && m->changed >= 3 && m->again >= 2;
    bool constant = holds;
    int64_t step = 0;
    for (size_t i = 0; constant && i < m->count; i++) {
        int64_t own = (int64_t)m->to[i] - (int64_t)m->from[i];
        constant = own == 0 || step == 0 || own == step;
        step = own ? own : step;
    }
    free(m);
    if (!holds)
        return false;
    w->story->way = XR_TEXTS_LETTERS;
    w->story->step = constant ? step : 0;
    w->story->supporting = w->frames->differ;
    return true;
}

/* ---- All --------------------------------------------------------------------------------------------- */

static size_t surely_differ(const text_work *w)
{
    size_t count = 0;
    for (size_t f = 0; f < w->frames->count; f++)
        count += frame_at(w, f)->differs && !frame_at(w, f)->noisy;
    return count;
}

static void search_ways(text_work *w)
{
    bool found = adopt(w, XR_TEXTS_NONE, is_none) || adopt(w, XR_TEXTS_ADDED, is_added) ||
                 try_names(w, true) || try_lags(w) || adopt(w, XR_TEXTS_BLANKS, other_blanks) ||
                 adopt(w, XR_TEXTS_CASE, other_case) || adopt(w, XR_TEXTS_REPEATED, is_repeated) ||
                 adopt(w, XR_TEXTS_MERGED, is_merged) || adopt(w, XR_TEXTS_CUT, is_cut) ||
                 adopt(w, XR_TEXTS_LONGER, is_longer) || adopt_token(w, XR_TEXTS_TOKEN, has_token) ||
                 adopt_token(w, XR_TEXTS_RAW, is_raw) || adopt(w, XR_TEXTS_REVERSED, is_reversed) ||
                 adopt(w, XR_TEXTS_WORDS, other_words) || try_constant(w) || try_names(w, false) ||
                 try_letters(w);
    if (found)
        return;
    size_t sure = surely_differ(w);
    bool noise = sure == 0 && (double)w->frames->differ <= NOISY_SHARE * (double)w->frames->count + 1;
    w->story->way = noise ? XR_TEXTS_SAME : XR_TEXTS_UNKNOWN;
    w->story->supporting = w->frames->differ;
}

bool xr_text_search(const xr_text_frames *frames, xr_text_story *out)
{
    text_work w = {.frames = frames, .story = out};
    size_t most = 1;
    *out = (xr_text_story){.way = XR_TEXTS_SAME};
    for (size_t f = 0; f < frames->count; f++)
        for (int s = 0; s < 2; s++)
            most = frames->frame[f].text[s].count > most ? frames->frame[f].text[s].count : most;
    bool ok = true;
    for (int i = 0; i < 3; i++)
        ok = (w.room[i].letter = calloc(most + 1, sizeof(uint32_t))) && ok;
    if (ok && frames->differ)
        search_ways(&w);
    for (int i = 0; i < 3; i++)
        free(w.room[i].letter);
    return ok;
}
