#include "checks/input/tokens/token_flags.h"

#include "checks/op_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- What follows from the ids -------------------------------------------------------------------- */

static bool same_rows(const xr_token_texts *a, const xr_token_texts *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->text[i].frame != b->text[i].frame || a->text[i].row != b->text[i].row ||
            a->text[i].places != b->text[i].places)
            return false;
    return true;
}

static bool is_inside(const xr_token_text *t, int side, size_t place)
{
    return place >= t->begin[side] && place < t->end[side];
}

/* Whether one side's flags are 1 where its text is, and 0 in the padding. */
static bool is_mask_of(const xr_token_texts *flags, const xr_token_texts *ids, int side)
{
    bool padded = false;
    for (size_t i = 0; i < ids->count; i++)
        for (size_t k = 0; k < ids->text[i].places; k++) {
            bool inside = is_inside(&ids->text[i], side, k);
            padded = padded || !inside;
            if (flags->text[i].id[side][k] != inside)
                return false;
        }
    return padded || side == EXRAY_SIDE_EDGE;
}

/* What the reference has in its padding: of types usually 0. */
static int64_t flag_of_padding(const xr_token_texts *flags, const xr_token_texts *ids)
{
    for (size_t i = 0; i < ids->count; i++)
        for (size_t k = 0; k < ids->text[i].places; k++)
            if (!is_inside(&ids->text[i], EXRAY_SIDE_REFERENCE, k))
                return flags->text[i].id[EXRAY_SIDE_REFERENCE][k];
    return 0;
}

static bool follows_in(const xr_token_text *flags, const xr_token_text *ids, const size_t *from,
                       int64_t padding)
{
    for (size_t k = 0; k < ids->places; k++) {
        bool inside = is_inside(ids, EXRAY_SIDE_EDGE, k);
        if (from[k] == SIZE_MAX && inside)
            continue; /* an id that the reference has not */
        int64_t expected = from[k] == SIZE_MAX ? padding : flags->id[EXRAY_SIDE_REFERENCE][from[k]];
        if (flags->id[EXRAY_SIDE_EDGE][k] != expected)
            return false;
    }
    return true;
}

bool xr_token_flags_follow(const xr_token_texts *flags, const xr_token_texts *ids,
                           const xr_token_story *story)
{
    if (!same_rows(flags, ids))
        return false;
    if (is_mask_of(flags, ids, EXRAY_SIDE_REFERENCE) && is_mask_of(flags, ids, EXRAY_SIDE_EDGE))
        return true;
    if (story->frame_order) {
        xr_token_story own;
        bool same =
            xr_token_story_make(flags, &own) && own.frame_order && own.frames_late == story->frames_late;
        xr_token_story_free(&own);
        return same;
    }
    int64_t padding = flag_of_padding(flags, ids);
    bool follows = true;
    for (size_t i = 0; i < ids->count && follows; i++) {
        size_t *from = malloc((ids->text[i].places + 1) * sizeof *from);
        if (!from)
            return false;
        xr_token_story_align(ids, story, i, from);
        follows = follows_in(&flags->text[i], &ids->text[i], from, padding);
        free(from);
    }
    return follows;
}

/* ---- What is wrong with them ------------------------------------------------------------------------ */

typedef struct flag_counts {
    uint64_t all, differing, ones[2], became[2]; /* became[0]: 0 for the reference's 1 */
    bool inverted;
    size_t texts;           /* with a difference */
    bool longer, same_step; /* each text has as many ones more (or fewer) */
    int64_t step;
} flag_counts;

static flag_counts count_flags(const xr_token_texts *flags)
{
    flag_counts c = {.inverted = true, .same_step = true};
    for (size_t i = 0; i < flags->count; i++) {
        const xr_token_text *t = &flags->text[i];
        int64_t step = 0;
        bool differs = false;
        for (size_t k = 0; k < t->places; k++) {
            int64_t e = t->id[0][k], r = t->id[1][k];
            c.all++;
            c.ones[0] += e == 1;
            c.ones[1] += r == 1;
            c.inverted = c.inverted && e != r;
            c.differing += e != r;
            differs = differs || e != r;
            step += e - r;
            if (e != r)
                c.became[e == 1]++;
        }
        if (differs) {
            c.same_step = c.same_step && (c.texts == 0 || step == c.step);
            c.step = step;
        }
        c.texts += differs;
    }
    return c;
}

static const char *role_of(const char *tensor, const xr_token_texts *flags, const xr_token_texts *ids)
{
    if (ids && same_rows(flags, ids) && is_mask_of(flags, ids, EXRAY_SIDE_REFERENCE))
        return "mask";
    if (xr_has_word(tensor, "mask"))
        return "mask";
    return xr_has_word(tensor, "type") || xr_has_word(tensor, "segment") ? "types" : "flags";
}

static const char *what_is(const char *role)
{
    return strcmp(role, "mask") == 0    ? "mask"
           : strcmp(role, "types") == 0 ? "types of tokens"
                                        : "zeros and ones";
}

/* How they relate, in a word, and in a clause. */
static const char *relate(const flag_counts *c, bool mask, char *says, size_t size)
{
    if (c->ones[0] == c->all) {
        snprintf(says, size, "all ones: 1 in %" PRIu64 " of %" PRIu64 " places where the reference has 0%s",
                 c->differing, c->all, mask ? ", so that the padding is not masked" : "");
        return "ones";
    }
    if (c->ones[0] == 0) {
        snprintf(says, size, "all zeros: 0 in %" PRIu64 " of %" PRIu64 " places where the reference has 1%s",
                 c->differing, c->all, mask ? ", so that nothing of the text is read" : "");
        return "zeros";
    }
    if (c->inverted) {
        snprintf(says, size, "inverted: 0 where the reference has 1, and 1 where it has 0");
        return "inverted";
    }
    if (c->same_step && c->step != 0 && (c->became[0] == 0 || c->became[1] == 0)) {
        uint64_t n = (uint64_t)(c->step < 0 ? -c->step : c->step);
        snprintf(says, size, "1 in %" PRIu64 " place%s %s than the reference's in each text that differs", n,
                 n == 1 ? "" : "s", c->step > 0 ? "more" : "fewer");
        return c->step > 0 ? "longer" : "shorter";
    }
    snprintf(says, size,
             "1 in %" PRIu64 " places where the reference has 0, and 0 in %" PRIu64
             " where it has 1, of %" PRIu64,
             c->became[1], c->became[0], c->all);
    return "other";
}

static void say_first(const exray_comparison *comparison, const xr_token_texts *flags, exray_finding *f)
{
    for (size_t i = 0; i < flags->count; i++)
        for (size_t k = 0; k < flags->text[i].places; k++) {
            const xr_token_text *t = &flags->text[i];
            if (t->id[0][k] == t->id[1][k])
                continue;
            uint64_t frame = exray_log_frame(exray_comparison_log(comparison, EXRAY_SIDE_EDGE),
                                             exray_comparison_frame(comparison, t->frame).frame[0])
                                 ->index;
            exray_finding_detail(f, "First in frame %" PRIu64 ", place %zu (counted from 0).", frame, k);
            exray_finding_number(f, "first_frame", (double)frame);
            exray_finding_number(f, "first_place", (double)k);
            return;
        }
}

void xr_report_token_flags(const exray_comparison *comparison, const char *tensor,
                           const xr_token_texts *flags, const xr_token_texts *ids, exray_findings *findings)
{
    flag_counts c = count_flags(flags);
    const char *role = role_of(tensor, flags, ids);
    char says[240];
    const char *relation = relate(&c, strcmp(role, "mask") == 0, says, sizeof says);
    exray_finding *f = exray_findings_add(findings, "input.tokens", EXRAY_SEVERITY_ERROR, 0.97);
    exray_finding_where(f, "input", tensor, EXRAY_NO_INDEX);
    exray_finding_summary(f, "In input %.100s the edge's %s %s %s.", tensor, what_is(role),
                          strcmp(role, "mask") == 0 ? "is" : "are", says);
    say_first(comparison, flags, f);
    exray_finding_fix(
        f, "Make these zeros and ones as the reference does: a mask is 1 where a token is and 0 in "
           "the padding, types are 1 in the second text.");
    exray_finding_text(f, "kind", role);
    exray_finding_text(f, "relation", relation);
    exray_finding_number(f, "places_differing", (double)c.differing);
    exray_finding_number(f, "places", (double)c.all);
    exray_finding_number(f, "texts_affected", (double)c.texts);
    exray_finding_number(f, "texts", (double)flags->count);
}
