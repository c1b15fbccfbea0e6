/* Which frame of one log is which of the other. */
#include "compare/match/match_frames.h"

#include "base/file.h"
#include "base/sort.h"
#include "compare/comparison.h"

#include <stdlib.h>
#include <string.h>

typedef struct keyed {
    const char *source;
    uint64_t index;
    size_t position;
} keyed;

static int by_source(const void *a, const void *b)
{
    return strcmp(((const keyed *)a)->source, ((const keyed *)b)->source);
}

static int by_index(const void *a, const void *b)
{
    uint64_t x = ((const keyed *)a)->index, y = ((const keyed *)b)->index;
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

static bool unique_sources(keyed *list, size_t count)
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
static void pair_up(exray_comparison *c, keyed *const list[2], const size_t counts[2],
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

/* ---- Logs that name their sources differently -------------------------------------------------- */

/* NOT_BY_CHANCE: bytes. */
enum { LOOK_AT = 8, NOT_BY_CHANCE = 64, EDGE = 0, REFERENCE = 1, FIRST = 2, RECORDS = 3, SLOTS = 4 };

static bool read_data(const exray_log *log, size_t frame, const exray_record *like, exray_slot *slot,
                      exray_tensor_view *out)
{
    const exray_record *record =
        exray_log_find(log, frame, like->kind, like->index, like->output, like->name);
    exray_error ignored;
    return record && record->has_data &&
           exray_log_read_tensor(log, record, slot, out, &ignored) == EXRAY_OK && out->data && out->size;
}

static bool equal_data(const exray_tensor_view *a, const exray_tensor_view *b)
{
    return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

/* Whether the data of a pair are those of an earlier pair, too: what does not change tells no frames apart.
 */
static bool is_seen_before(const exray_comparison *c, const exray_record *like, size_t pair,
                           const exray_tensor_view *data, exray_slot *slot)
{
    exray_tensor_view earlier;
    for (size_t i = 0; i < pair; i++)
        if (read_data(c->log[EDGE], c->frame[i].frame[EDGE], like, slot, &earlier) &&
            equal_data(data, &earlier))
            return true;
    return false;
}

/* Whether a record is the same on both sides, byte for byte, in most of the first pairs, and another in each
 * of those: the rest may be what is wrong.  A few bytes can be the same by chance, in all of them hardly. */
static bool shows_same_frames(const exray_comparison *c, const exray_record *like, exray_slot *const *slot)
{
    exray_tensor_view view[2];
    const size_t pairs = c->frame_count < LOOK_AT ? c->frame_count : LOOK_AT;
    size_t same = 0, least = SIZE_MAX;
    for (size_t i = 0; i < pairs; i++) {
        for (int s = 0; s < 2; s++)
            if (!read_data(c->log[s], c->frame[i].frame[s], like, slot[s], &view[s]))
                return false;
        least = view[EDGE].size < least ? view[EDGE].size : least;
        if (!equal_data(&view[EDGE], &view[REFERENCE]))
            continue;
        if (is_seen_before(c, like, i, &view[EDGE], slot[FIRST]))
            return false;
        same++;
    }
    return same > 1 && (same == pairs || (2 * same > pairs && least >= NOT_BY_CHANCE));
}

/* Whether frames of equal indices had the same data: the sensor's, or the model's inputs. */
static bool same_data(const exray_comparison *c)
{
    exray_slot *slot[SLOTS];
    bool found = false, ok = c->frame_count > 0;
    for (int i = 0; i < SLOTS; i++)
        ok = (slot[i] = exray_slot_new()) && ok;
    size_t count = 0;
    const exray_record *record =
        ok ? exray_log_records_in(c->log[EDGE], c->frame[0].frame[EDGE], slot[RECORDS], &count) : NULL;
    for (size_t i = 0; record && i < count && !found; i++)
        found = record[i].message == EXRAY_MESSAGE_TENSOR && record[i].has_data &&
                (record[i].kind == EXRAY_KIND_SENSOR || record[i].kind == EXRAY_KIND_INPUT) &&
                shows_same_frames(c, &record[i], slot);
    for (int i = 0; i < SLOTS; i++)
        exray_slot_free(slot[i]);
    return found;
}

/* ---- Names that only count ---------------------------------------------------------------------- */

typedef struct counted_name {
    const char *digits; /* the last ones of the name */
    size_t before, count;
} counted_name;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool split_name(const char *name, counted_name *out)
{
    enum { MOST_DIGITS = 18 };
    size_t end = strlen(name);
    while (end && !is_digit(name[end - 1]))
        end--;
    size_t begin = end;
    while (begin && is_digit(name[begin - 1]))
        begin--;
    *out = (counted_name){name + begin, begin, end - begin};
    return end > begin && end - begin <= MOST_DIGITS;
}

/* Whether the names of a log are one text with the numbers of a count: every recording has such ones.  The
 * numbers of a data set's pictures, or times, are not evenly apart. */
static bool only_count(const keyed *list, size_t count)
{
    uint64_t *number = calloc(count + 1, sizeof *number);
    bool so = number != NULL;
    counted_name first = {0};
    for (size_t i = 0; so && i < count; i++) {
        counted_name own;
        so = split_name(list[i].source, &own);
        if (i == 0)
            first = own;
        so = so && own.before == first.before && memcmp(list[i].source, list[0].source, own.before) == 0 &&
             strcmp(own.digits + own.count, first.digits + first.count) == 0;
        if (so)
            number[i] = strtoull(own.digits, NULL, 10);
    }
    if (so)
        qsort(number, count, sizeof *number, xr_by_u64);
    for (size_t i = 2; so && i < count; i++)
        so = number[i] - number[i - 1] == number[1] - number[0];
    so = so && (count > 1 || number[0] <= 1);
    free(number);
    return so;
}

/* Where no frame has a source of the other log: by the names of files alone (the folders are other ones),
 * else by index, if the data show that these are the same frames; names that only count need that, too. */
static void pair_renamed(exray_comparison *c, keyed *const list[2], const size_t counts[2])
{
    for (int s = 0; s < 2; s++)
        for (size_t i = 0; i < counts[s]; i++)
            list[s][i].source = xr_base_name(list[s][i].source);
    if (unique_sources(list[0], counts[0]) && unique_sources(list[1], counts[1]))
        pair_up(c, list, counts, by_source);
    if (c->frame_count &&
        (!(only_count(list[0], counts[0]) && only_count(list[1], counts[1])) || same_data(c)))
        return;
    pair_up(c, list, counts, by_index);
    if (same_data(c))
        c->matched_by = "index";
    else
        c->frame_count = 0;
}

bool xr_match_frames(exray_comparison *c)
{
    size_t counts[2];
    keyed *list[2] = {NULL, NULL};
    for (int s = 0; s < 2; s++) {
        counts[s] = exray_log_frame_count(c->log[s]);
        list[s] = calloc(counts[s] + 1, sizeof *list[s]);
        for (size_t i = 0; list[s] && i < counts[s]; i++) {
            const exray_frame *frame = exray_log_frame(c->log[s], i);
            list[s][i] = (keyed){frame->source ? frame->source : "", frame->index, i};
        }
    }
    c->frame = calloc((counts[0] < counts[1] ? counts[0] : counts[1]) + 1, sizeof *c->frame);
    bool ok = list[0] && list[1] && c->frame;
    if (ok) {
        bool replay = is_replay(c->log[0], c->log[1]) || is_replay(c->log[1], c->log[0]) ||
                      same_original(c->log[0], c->log[1]);
        bool source = !replay && unique_sources(list[0], counts[0]) && unique_sources(list[1], counts[1]);
        c->matched_by = source ? "source" : "index";
        pair_up(c, list, counts, source ? by_source : by_index);
        if (source && c->frame_count == 0)
            pair_renamed(c, list, counts);
        if (!replay && !source)
            drop_contradicted(c);
        for (int s = 0; s < 2; s++)
            c->unmatched[s] = counts[s] - c->frame_count;
    }
    free(list[0]);
    free(list[1]);
    return ok;
}
