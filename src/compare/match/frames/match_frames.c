/* Which frame of one log is which of the other. */
#include "compare/match/frames/match_frames.h"

#include "base/file.h"
#include "compare/comparison.h"
#include "compare/match/frames/same_frames.h"
#include "compare/match/frames/source_names.h"

#include <stdlib.h>
#include <string.h>

static int by_source(const void *a, const void *b)
{
    const xr_frame_key *x = a, *y = b;
    const int order = strcmp(x->source, y->source);
    return order ? order : (x->occurrence > y->occurrence) - (x->occurrence < y->occurrence);
}

static int by_source_and_position(const void *a, const void *b)
{
    const xr_frame_key *x = a, *y = b;
    const int order = strcmp(x->source, y->source);
    return order ? order : (x->position > y->position) - (x->position < y->position);
}

static int by_index(const void *a, const void *b)
{
    uint64_t x = ((const xr_frame_key *)a)->index, y = ((const xr_frame_key *)b)->index;
    return (x > y) - (x < y);
}

static int by_place(const void *a, const void *b)
{
    size_t x = ((const xr_frame_key *)a)->position, y = ((const xr_frame_key *)b)->position;
    return (x > y) - (x < y);
}

static int by_position(const void *a, const void *b)
{
    size_t x = ((const exray_frame_pair *)a)->frame[0], y = ((const exray_frame_pair *)b)->frame[0];
    return (x > y) - (x < y);
}

static bool is_replay(const exray_log *of, const exray_log *log)
{
    const char *id = exray_log_metadata(of, "log_id"), *replay = exray_log_metadata(log, "replay_of");
    return id && replay && *id && strcmp(id, replay) == 0;
}

static bool same_original(const exray_log *a, const exray_log *b)
{
    const char *x = exray_log_metadata(a, "replay_of"), *y = exray_log_metadata(b, "replay_of");
    return x && y && *x && strcmp(x, y) == 0;
}

static bool unique_sources(xr_frame_key *list, size_t count)
{
    qsort(list, count, sizeof *list, by_source);
    for (size_t i = 0; i < count; i++)
        if (!*list[i].source || (i && strcmp(list[i].source, list[i - 1].source) == 0))
            return false;
    return count > 0;
}

static const char *file_name(const exray_log *log, size_t position)
{
    const char *source = exray_log_frame(log, position)->source;
    return source ? xr_base_name(source) : "";
}

static bool same_name(const exray_comparison *c, const exray_frame_pair *pair)
{
    return strcmp(file_name(c->log[0], pair->frame[0]), file_name(c->log[1], pair->frame[1])) == 0;
}

/* For logs that are not replays of each other, matched by index: if some pairs have the same source, pairs
 * with different sources are dropped.  (If none has, the two logs name their sources differently.) */
static void drop_contradicted(exray_comparison *c)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->frame_count; i++)
        kept += same_name(c, &c->frame[i]);
    if (kept == 0 || kept == c->frame_count)
        return;
    kept = 0;
    for (size_t i = 0; i < c->frame_count; i++)
        if (same_name(c, &c->frame[i]))
            c->frame[kept++] = c->frame[i];
    c->frame_count = kept;
}

/* Pairs every two frames whose keys are equal. */
static void pair_up(exray_comparison *c, xr_frame_key *const list[2], const size_t counts[2],
                    int (*order)(const void *, const void *))
{
    c->frame_count = 0;
    for (int s = 0; s < 2; s++)
        qsort(list[s], counts[s], sizeof *list[s], order);
    for (size_t i = 0, j = 0; i < counts[0] && j < counts[1];) {
        int o = order(&list[0][i], &list[1][j]);
        if (o == 0)
            c->frame[c->frame_count++] = (exray_frame_pair){{list[0][i++].position, list[1][j++].position}};
        else if (o < 0)
            i++;
        else
            j++;
    }
    qsort(c->frame, c->frame_count, sizeof *c->frame, by_position);
}

/* ---- Sources that repeat ------------------------------------------------------------------------ */

static bool has_output(const exray_log *log, size_t position, exray_slot *slot)
{
    size_t count = 0;
    const exray_record *record = exray_log_records_in(log, position, slot, &count);
    for (size_t i = 0; record && i < count; i++)
        if (record[i].message == EXRAY_MESSAGE_TENSOR && record[i].kind == EXRAY_KIND_OUTPUT)
            return true;
    return false;
}

/* Moves frames that were tried again to the end: they have no output, and one that has follows, with none but
 * their source between.  How many are left. */
static size_t leave_failed_out(const exray_log *log, xr_frame_key *list, size_t count)
{
    exray_slot *slot = exray_slot_new();
    bool *failed = calloc(count + 1, sizeof *failed);
    bool later = false; /* whether the frame behind has an output, or is tried again itself */
    size_t kept = 0;
    for (size_t i = count; slot && failed && i-- > 0;) {
        const bool has = has_output(log, list[i].position, slot);
        const bool same = i + 1 < count && *list[i].source && strcmp(list[i].source, list[i + 1].source) == 0;
        failed[i] = !has && same && later;
        later = has || failed[i];
    }
    for (size_t i = 0; i < count; i++) {
        if (failed && failed[i])
            continue;
        const xr_frame_key own = list[i];
        list[i] = list[kept];
        list[kept++] = own;
    }
    free(failed);
    exray_slot_free(slot);
    return kept;
}

/* Counts how often each source came before.  Whether most frames have one of their own: few pictures of a set
 * are shown twice, all frames of a camera have its name. */
static bool count_occurrences(xr_frame_key *list, size_t count)
{
    size_t own = 0;
    qsort(list, count, sizeof *list, by_source_and_position);
    for (size_t i = 0; i < count; i++) {
        const bool first = i == 0 || strcmp(list[i].source, list[i - 1].source) != 0;
        list[i].occurrence = first ? 0 : list[i - 1].occurrence + 1;
        own += first && *list[i].source;
    }
    return 4 * own >= 3 * count && own > 1;
}

/* ---- Logs that name their sources differently -------------------------------------------------- */

static bool take_part(const exray_log *log, xr_frame_key *list, size_t count, xr_source_part part)
{
    for (size_t i = 0; i < count; i++) {
        const char *source = exray_log_frame(log, list[i].position)->source;
        list[i].source = source ? source : "";
    }
    const size_t folder = xr_source_folder(list, count);
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        list[i].part = xr_source_part_of(list[i].source, folder, part);
        ok = ok && list[i].part;
        list[i].source = list[i].part ? list[i].part : "";
    }
    return ok;
}

static void free_parts(xr_frame_key *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(list[i].part);
        list[i].part = NULL;
        list[i].source = "";
    }
}

/* By one part of the sources, where it is another one in each frame; names that only count need data, too. */
static bool pair_by_part(exray_comparison *c, xr_frame_key *const list[2], const size_t counts[2],
                         xr_source_part part)
{
    bool ok = true;
    for (int s = 0; s < 2; s++)
        ok = take_part(c->log[s], list[s], counts[s], part) && ok;
    c->frame_count = 0;
    if (ok && unique_sources(list[0], counts[0]) && unique_sources(list[1], counts[1]))
        pair_up(c, list, counts, by_source);
    const bool found =
        c->frame_count &&
        (!(xr_sources_only_count(list[0], counts[0]) && xr_sources_only_count(list[1], counts[1])) ||
         xr_same_frames(c));
    for (int s = 0; s < 2; s++)
        free_parts(list[s], counts[s]);
    return found;
}

/* Where no frame has a source of the other log: by the names of files (the folders are other ones, or the
 * types), else by index, if the data show that these are the same frames. */
static void pair_renamed(exray_comparison *c, xr_frame_key *const list[2], const size_t counts[2])
{
    for (int part = 0; part < XR_SOURCE_PARTS; part++)
        if (pair_by_part(c, list, counts, (xr_source_part)part))
            return;
    pair_up(c, list, counts, by_index);
    if (xr_same_frames(c))
        c->matched_by = "index";
    else
        c->frame_count = 0;
}

static void pair_by_index(exray_comparison *c, xr_frame_key *const list[2], const size_t counts[2])
{
    c->matched_by = "index";
    pair_up(c, list, counts, by_index);
}

/* Sources of which most come once: the others by their turn, without attempts that failed. */
static bool pair_by_turn(exray_comparison *c, xr_frame_key *const list[2], const size_t counts[2])
{
    size_t kept[2];
    bool most = true;
    for (int s = 0; s < 2; s++) {
        qsort(list[s], counts[s], sizeof *list[s], by_place);
        kept[s] = leave_failed_out(c->log[s], list[s], counts[s]);
        most = count_occurrences(list[s], kept[s]) && most;
    }
    if (most)
        pair_up(c, list, kept, by_source);
    return most && c->frame_count > 0;
}

/* Where not every frame has a source of its own: frames of a camera go by index. */
static void pair_repeated(exray_comparison *c, xr_frame_key *const list[2], const size_t counts[2])
{
    if (pair_by_turn(c, list, counts))
        return;
    pair_by_index(c, list, counts);
    drop_contradicted(c);
}

static void pair_by_source(exray_comparison *c, xr_frame_key *const list[2], const size_t counts[2])
{
    c->matched_by = "source";
    if (!unique_sources(list[0], counts[0]) || !unique_sources(list[1], counts[1])) {
        pair_repeated(c, list, counts);
        return;
    }
    pair_up(c, list, counts, by_source);
    if (c->frame_count == 0)
        pair_renamed(c, list, counts);
}

bool xr_match_frames(exray_comparison *c)
{
    size_t counts[2];
    xr_frame_key *list[2] = {NULL, NULL};
    for (int s = 0; s < 2; s++) {
        counts[s] = exray_log_frame_count(c->log[s]);
        list[s] = calloc(counts[s] + 1, sizeof *list[s]);
        for (size_t i = 0; list[s] && i < counts[s]; i++) {
            const exray_frame *frame = exray_log_frame(c->log[s], i);
            list[s][i] = (xr_frame_key){frame->source ? frame->source : "", NULL, frame->index, i, 0};
        }
    }
    c->frame = calloc((counts[0] < counts[1] ? counts[0] : counts[1]) + 1, sizeof *c->frame);
    bool ok = list[0] && list[1] && c->frame;
    if (ok) {
        bool replay = is_replay(c->log[0], c->log[1]) || is_replay(c->log[1], c->log[0]) ||
                      same_original(c->log[0], c->log[1]);
        if (replay)
            pair_by_index(c, list, counts);
        else
            pair_by_source(c, list, counts);
        for (int s = 0; s < 2; s++)
            c->unmatched[s] = exray_log_frame_count(c->log[s]) - c->frame_count;
    }
    free(list[0]);
    free(list[1]);
    return ok;
}
