#include "checks/input/frames/find_lag.h"

#include <stdlib.h>
#include <string.h>

/* LEAST_KINDS: of frames with fewer values than LEAST_VALUES, so many must differ from each other, and as
 * many values be moved in all. */
enum { MOST_LAG = 4, LEAST_MOVED = 3, LEAST_VALUES = 8, LEAST_KINDS = 4, UNREAD = 2 };

typedef struct lag_reader {
    const exray_comparison *comparison;
    size_t pair, frames;
    exray_slot *slot[2];
    int *own; /* [frames] is_same of a frame's own two sides; UNREAD: not asked yet */
    /* Of the frames that count_moved moved. */
    uint64_t values;
    float kind[LEAST_KINDS]; /* their first values, each once */
    size_t kinds;
    bool small; /* some have fewer than LEAST_VALUES */
} lag_reader;

static void note_moved(lag_reader *l, float first, uint64_t count)
{
    size_t k = 0;
    while (k < l->kinds && l->kind[k] != first)
        k++;
    if (k == l->kinds && k < LEAST_KINDS)
        l->kind[l->kinds++] = first;
    l->values += count;
    l->small = l->small || count < LEAST_VALUES;
}

/* Whether the edge's frame e has the reference's values of frame r; -1: one of them cannot be read. */
static int is_same(lag_reader *l, size_t e, size_t r)
{
    exray_tensor_view view[2];
    const float *v[2];
    exray_error ignored;
    for (int s = 0; s < 2; s++)
        if (exray_comparison_values(l->comparison, (exray_side)s, s ? r : e, EXRAY_KIND_INPUT, l->pair,
                                    l->slot[s], &view[s], &v[s], &ignored) != EXRAY_OK)
            return -1;
    if (view[0].count != view[1].count || view[0].count == 0)
        return -1;
    const bool same = memcmp(v[0], v[1], view[0].count * sizeof **v) == 0;
    if (same && e != r)
        note_moved(l, v[0][0], view[0].count);
    return same;
}

/* How many frames are those of `lag` frames before; 0: not all that differ. */
static size_t count_moved(lag_reader *l, long lag)
{
    size_t moved = 0;
    l->values = l->kinds = 0;
    l->small = false;
    for (size_t f = 0; f < l->frames; f++) {
        const long from = (long)f - lag;
        if (l->own[f] == UNREAD)
            l->own[f] = is_same(l, f, f);
        const int own = l->own[f];
        if (own == 1 || from < 0 || from >= (long)l->frames)
            continue; /* what came before the log is not known */
        if (own < 0 || is_same(l, f, (size_t)from) != 1)
            return 0;
        moved++;
    }
    const bool chance = l->small && (l->values < LEAST_MOVED * LEAST_VALUES || l->kinds < LEAST_KINDS);
    return chance ? 0 : moved;
}

static void report(const lag_reader *l, long lag, size_t moved, exray_findings *findings)
{
    const exray_comparison *c = l->comparison;
    const exray_io_pair *io = exray_comparison_input(c, l->pair);
    const size_t frames = lag < 0 ? (size_t)-lag : (size_t)lag;
    exray_finding *f = exray_findings_add(findings, "input.frame_order", EXRAY_SEVERITY_ERROR, 0.98);
    exray_finding_where(f, "input", io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(
        f,
        "The edge's input %.80s is %zu frame%s %s: in %zu of %zu frames it has, value for value, "
        "what the reference's has %s.",
        io->name[EXRAY_SIDE_EDGE], frames, frames > 1 ? "s" : "", lag > 0 ? "late" : "early", moved,
        l->frames, lag > 0 ? "before" : "afterwards");
    exray_finding_fix(f, "Log and infer the same buffer: fill the model's input before each run.");
    exray_finding_number(f, "lag", (double)lag);
    exray_finding_number(f, "frames_moved", (double)moved);
}

bool xr_report_lag(const exray_comparison *comparison, size_t pair, exray_findings *findings)
{
    const size_t frames = exray_comparison_frame_count(comparison);
    lag_reader l = {.comparison = comparison,
                    .pair = pair,
                    .frames = frames,
                    .slot = {exray_slot_new(), exray_slot_new()},
                    .own = malloc((frames + 1) * sizeof(int))};
    bool found = false;
    for (size_t f = 0; l.own && f < frames; f++)
        l.own[f] = UNREAD;
    for (long d = 1; l.slot[0] && l.slot[1] && l.own && !found && d <= MOST_LAG; d++)
        for (int early = 0; early < 2 && !found; early++) {
            const long lag = early ? -d : d;
            const size_t moved = count_moved(&l, lag);
            found = moved >= LEAST_MOVED;
            if (found)
                report(&l, lag, moved, findings);
        }
    exray_slot_free(l.slot[0]);
    exray_slot_free(l.slot[1]);
    free(l.own);
    return found;
}

/* ---- Any other frame ----------------------------------------------------------------------------- */

/* Frames to which this is not applied: reading them all twice takes too long. */
enum { MOST_FRAMES = 4096, LEAST_REPEATED = 2, LEAST_IN_ALL = 24 };

typedef struct frame_hash {
    uint64_t hash;
    uint64_t count; /* 0: not read, or one value throughout */
} frame_hash;

static bool hash_frame(lag_reader *l, int side, size_t frame, frame_hash *out)
{
    exray_tensor_view view;
    const float *v;
    exray_error ignored;
    *out = (frame_hash){.count = 0};
    if (exray_comparison_values(l->comparison, (exray_side)side, frame, EXRAY_KIND_INPUT, l->pair,
                                l->slot[side], &view, &v, &ignored) != EXRAY_OK)
        return false;
    uint64_t hash = 14695981039346656037u;
    uint32_t first = 0;
    bool flat = true;
    for (uint64_t i = 0; i < view.count; i++) {
        uint32_t bits;
        memcpy(&bits, &v[i], sizeof bits);
        hash = (hash ^ bits) * 1099511628211u;
        first = i ? first : bits;
        flat = flat && bits == first;
    }
    *out = (frame_hash){hash, flat ? 0 : view.count};
    return true;
}

/* The reference's frame that edge frame f has, the nearest one before it, else behind; SIZE_MAX: none. */
static size_t origin_of(lag_reader *l, const frame_hash *edge, const frame_hash *reference, size_t f)
{
    for (size_t d = 1; d < l->frames; d++)
        for (int later = 0; later < 2; later++) {
            const size_t g = later ? f + d : f - d;
            if ((later ? g < l->frames : d <= f) && edge[f].count && edge[f].count == reference[g].count &&
                edge[f].hash == reference[g].hash && is_same(l, f, g) == 1)
                return g;
        }
    return SIZE_MAX;
}

/* Where every frame that differs is one of the reference's: their number, *values of all, *held: all are what
 * the edge had in the frame before. */
static size_t find_origins(lag_reader *l, frame_hash *const hash[2], size_t *origin, uint64_t *values,
                           bool *held)
{
    size_t moved = 0;
    *values = 0;
    *held = true;
    for (size_t f = 0; f < l->frames; f++) {
        origin[f] = f;
        if (!hash_frame(l, EXRAY_SIDE_EDGE, f, &hash[0][f]) ||
            !hash_frame(l, EXRAY_SIDE_REFERENCE, f, &hash[1][f]))
            return 0;
    }
    for (size_t f = 0; f < l->frames; f++) {
        if (hash[0][f].count == hash[1][f].count && hash[0][f].hash == hash[1][f].hash)
            continue;
        origin[f] = origin_of(l, hash[0], hash[1], f);
        if (origin[f] == SIZE_MAX)
            return 0;
        moved++;
        *values += hash[0][f].count;
        *held = *held && f && hash[0][f].hash == hash[0][f - 1].hash;
    }
    return moved;
}

static void report_origins(const lag_reader *l, const size_t *origin, size_t moved, bool held,
                           exray_findings *findings)
{
    const exray_comparison *c = l->comparison;
    const exray_io_pair *io = exray_comparison_input(c, l->pair);
    bool *in = calloc(l->frames + 1, sizeof *in);
    size_t first = 0;
    while (origin[first] == first)
        first++;
    for (size_t f = 0; in && f < l->frames; f++)
        in[f] = origin[f] != f;
    exray_finding *f = exray_findings_add(findings, "input.frame_order", EXRAY_SEVERITY_ERROR, 0.97);
    exray_finding_where(f, "input", io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    if (held)
        exray_finding_summary(
            f,
            "The edge's input %.80s is not refilled in %zu of %zu frames: it repeats, value for "
            "value, what it was in the frame before.",
            io->name[EXRAY_SIDE_EDGE], moved, l->frames);
    else
        exray_finding_summary(
            f,
            "The edge's input %.80s is that of another frame in %zu of %zu frames: frame %zu has, "
            "value for value, what the reference's has in frame %zu.",
            io->name[EXRAY_SIDE_EDGE], moved, l->frames, first, origin[first]);
    exray_finding_fix(f, "Log and infer the same buffer: fill the model's input before each run.");
    exray_finding_text(f, "pattern", held ? "repeated" : "exchanged");
    exray_finding_number(f, "frames_moved", (double)moved);
    if (in && moved < l->frames)
        exray_finding_frames(f, c, in);
    free(in);
}

bool xr_report_other_frames(const exray_comparison *comparison, size_t pair, exray_findings *findings)
{
    const size_t frames = exray_comparison_frame_count(comparison);
    lag_reader l = {.comparison = comparison,
                    .pair = pair,
                    .frames = frames,
                    .slot = {exray_slot_new(), exray_slot_new()}};
    frame_hash *hash[2] = {NULL, NULL};
    size_t *origin = NULL, moved = 0;
    uint64_t values = 0;
    bool held = false;
    if (frames > 1 && frames <= MOST_FRAMES) {
        hash[0] = calloc(frames, sizeof **hash);
        hash[1] = calloc(frames, sizeof **hash);
        origin = calloc(frames, sizeof *origin);
    }
    if (l.slot[0] && l.slot[1] && hash[0] && hash[1] && origin)
        moved = find_origins(&l, hash, origin, &values, &held);
    const bool found = moved >= LEAST_REPEATED && values >= LEAST_IN_ALL;
    if (found)
        report_origins(&l, origin, moved, held, findings);
    free(hash[0]);
    free(hash[1]);
    free(origin);
    exray_slot_free(l.slot[0]);
    exray_slot_free(l.slot[1]);
    return found;
}
