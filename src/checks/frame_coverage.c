/* A log may have fewer frames than the other for reasons that it names itself:
 *
 *   - a limit that was asked for: the metadata key `frames` ("stop after N frames");
 *   - drops: /system counts the records that did not fit, and with them frames that are not there;
 *   - gaps in Frame.index: frames that ran and were not recorded (capture off between triggers, a budget, a
 *     full disk, drops).  The index counts every frame of the run; /event may name later ones;
 *   - it is one file of several, or the level was set to off: what is before and behind is not in it.
 *
 * And the log with more frames may say of some of them that there is nothing to be replayed: a flight
 * recorder
 * (`flight`), `every_nth`, `first_frames`, a level that fell (/event), an attempt that was made again. */
#include "checks/frame_coverage.h"

#include "checks/covered.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t whole_number(const char *text)
{
    char *end;
    unsigned long long value = text ? strtoull(text, &end, 10) : 0;
    return text && end != text && !*end ? value : 0;
}

static uint64_t dropped_records(const exray_log *log)
{
    exray_slot *slot = exray_slot_new();
    size_t frames = exray_log_frame_count(log);
    uint64_t dropped = 0;
    /* The count only grows: the last one that there is. */
    for (size_t f = frames; slot && dropped == 0 && f-- > 0 && frames - f <= 8;) {
        const exray_record *record = exray_log_records(log, f);
        size_t count = exray_log_frame(log, f)->record_count;
        exray_system s;
        exray_error error;
        for (size_t i = 0; i < count; i++)
            if (record[i].message == EXRAY_MESSAGE_SYSTEM &&
                exray_log_read_system(log, &record[i], slot, &s, &error) == EXRAY_OK && s.has_dropped)
                dropped = s.dropped_records > dropped ? s.dropped_records : dropped;
    }
    exray_slot_free(slot);
    return dropped;
}

/* ---- The log that lacks them --------------------------------------------------------------- */

/* Frames before the first, between two, and behind the last as many as are usual between two, or as the log
 * knows of. */
static uint64_t skipped_frames(const exray_log *log)
{
    size_t count = exray_log_frame_count(log);
    if (count == 0)
        return 0;
    uint64_t first = exray_log_frame(log, 0)->index, last = exray_log_frame(log, count - 1)->index;
    uint64_t between = last - first + 1 > count ? last - first + 1 - count : 0;
    uint64_t usual = count > 1 ? between / (count - 1) : 0, told = xr_frames_ran(log) - 1 - last;
    return first + between + (told > usual ? told : usual);
}

/* Why a log may end before the run did, a clause; NULL: it does not say so. */
static const char *why_it_ends(const exray_log *log)
{
    const char *flight = exray_log_metadata(log, "flight"), *capture = exray_log_metadata(log, "capture");
    xr_told told;
    xr_told_by(log, &told);
    if (told.goes_on)
        return "is one file of several, and the recording goes on in the next";
    if (told.turned_off)
        return "ends where its capture level was set to off";
    if (flight && capture && strcmp(capture, "off") == 0)
        return "has the frames that a trigger asked for, and no others";
    return NULL;
}

/* The frames of a log that come after the last one of another. */
static uint64_t later_frames(const exray_log *log, const exray_log *than)
{
    const size_t count = exray_log_frame_count(log), n = exray_log_frame_count(than);
    const uint64_t last = n ? exray_log_frame(than, n - 1)->index : 0;
    uint64_t later = 0;
    while (later < count && exray_log_frame(log, count - 1 - later)->index > last)
        later++;
    return later;
}

/* The event that tells most of frames that were not recorded, or NULL. */
static const char *told_reason(const exray_log *log)
{
    xr_told told;
    xr_told_by(log, &told);
    return told.gap && *told.gap ? told.gap : told.level && *told.level ? told.level : NULL;
}

static void add_clause(xr_frame_coverage *out, size_t explained, const char *clause)
{
    const size_t used = strlen(out->why);
    out->explained += explained;
    snprintf(out->why + used, sizeof out->why - used, "%s%s", used ? ", and " : "", clause);
}

/* What the log says of `lacking` frames that it has not got; `more` has them. */
static void explain_lack(const exray_log *log, const exray_log *more, const char *who, size_t lacking,
                         xr_frame_coverage *out)
{
    char clause[400];
    const uint64_t limit = whole_number(exray_log_metadata(log, "frames")), dropped = dropped_records(log);
    const char *end = why_it_ends(log), *reason = told_reason(log);
    uint64_t absent = skipped_frames(log);
    if (end)
        absent += later_frames(more, log);
    size_t explained = lacking;
    if (limit && exray_log_frame_count(log) >= limit) {
        snprintf(clause, sizeof clause, "the %s log was recorded with a limit of %" PRIu64 " frames", who,
                 limit);
    } else if (dropped > absent) {
        explained = dropped < lacking ? (size_t)dropped : lacking;
        snprintf(clause, sizeof clause,
                 "the %s's recorder dropped %" PRIu64 " records, and counted them%s%.160s", who, dropped,
                 reason ? ": " : "", reason ? reason : "");
    } else if (absent) {
        explained = absent < lacking ? (size_t)absent : lacking;
        if (end)
            snprintf(clause, sizeof clause, "the %s log %s", who, end);
        else
            snprintf(clause, sizeof clause,
                     "the frame numbers of the %s log pass over %zu that ran and were not recorded%s%.160s",
                     who, explained, reason ? ": " : "", reason ? reason : "");
    } else {
        return;
    }
    add_clause(out, explained, clause);
}

/* ---- The log that has them ------------------------------------------------------------------ */

/* What a frame offers to a replay: an input or what it is made of, with data. */
static bool has_input_data(const exray_log *log, size_t frame, exray_slot *slot)
{
    size_t count;
    const exray_record *record = exray_log_records_in(log, frame, slot, &count);
    for (size_t i = 0; i < count; i++)
        if (record[i].message == EXRAY_MESSAGE_TENSOR && record[i].has_data &&
            (record[i].kind == EXRAY_KIND_INPUT || record[i].kind == EXRAY_KIND_SENSOR))
            return true;
    return false;
}

/* From which frame on (a position) the log says why frames have no inputs; their number: it does not.  The
 * event of a budget is written when the frame that it is about ends. */
static size_t first_lowered(const exray_log *log)
{
    const size_t frames = exray_log_frame_count(log);
    size_t f = 0;
    for (size_t i = 0; i < exray_log_event_count(log); i++) {
        const exray_event *event = exray_log_event(log, i);
        if (event->kind != EXRAY_EVENT_LEVEL)
            continue;
        while (f < frames && exray_log_frame(log, f)->end_ns < event->log_time)
            f++;
        return f ? f - 1 : 0;
    }
    return frames;
}

void xr_left_out_of(const exray_log *log, xr_left_out *out)
{
    const char *capture = exray_log_metadata(log, "capture");
    *out = (xr_left_out){
        .nth = whole_number(exray_log_metadata(log, "every_nth")),
        .first = whole_number(exray_log_metadata(log, "first_frames")),
        .lowered = first_lowered(log),
        .all = exray_log_metadata(log, "flight") ||
               (capture && (strcmp(capture, "off") == 0 || strcmp(capture, "frame") == 0)),
    };
}

bool xr_is_left_out(const xr_left_out *left, const exray_log *log, size_t frame)
{
    const uint64_t index = exray_log_frame(log, frame)->index;
    return (left->nth > 1 && index % left->nth) || (left->first && index >= left->first) ||
           frame >= left->lowered || left->all;
}

static bool has_output(const exray_log *log, size_t frame, exray_slot *slot)
{
    size_t count;
    const exray_record *record = exray_log_records_in(log, frame, slot, &count);
    for (size_t i = 0; record && i < count; i++)
        if (record[i].message == EXRAY_MESSAGE_TENSOR && record[i].kind == EXRAY_KIND_OUTPUT)
            return true;
    return false;
}

/* Frames of the larger log that the other has not: those that have nothing to be replayed, and attempts that
 * failed: no output, and the next frame of the same source is matched and has one, or failed, too. */
typedef struct lone_frames {
    size_t poor, failed;
} lone_frames;

/* Whether the frame behind has the same source. */
static bool is_repeated(const exray_log *log, size_t frame)
{
    const char *own = exray_log_frame(log, frame)->source, *next = exray_log_frame(log, frame + 1)->source;
    return own && *own && next && strcmp(own, next) == 0;
}

/* Counted from the last one on: what was tried twice in vain failed twice. */
static size_t count_failed(const exray_log *log, const bool *matched, const bool *poor, exray_slot *slot)
{
    size_t failed = 0;
    bool later = false; /* the frame behind failed, too */
    for (size_t f = exray_log_frame_count(log); f-- > 0;) {
        later = !matched[f] && !poor[f] && (later || matched[f + 1]) && is_repeated(log, f) &&
                !has_output(log, f, slot) && (later || has_output(log, f + 1, slot));
        failed += later;
    }
    return failed;
}

static lone_frames count_lone(const exray_comparison *comparison, const exray_log *log, exray_side side)
{
    const size_t count = exray_log_frame_count(log), pairs = exray_comparison_frame_count(comparison);
    xr_left_out left;
    lone_frames lone = {0, 0};
    size_t rich = 0;
    bool *matched = calloc(count + 1, sizeof *matched), *poor = calloc(count + 1, sizeof *poor);
    exray_slot *slot = exray_slot_new();
    const bool room = matched && poor && slot;
    xr_left_out_of(log, &left);
    for (size_t i = 0; room && i < pairs; i++)
        matched[exray_comparison_frame(comparison, i).frame[side]] = true;
    for (size_t f = 0; room && f < count; f++) {
        const bool data = has_input_data(log, f, slot);
        poor[f] = !matched[f] && !data && xr_is_left_out(&left, log, f);
        rich += data;
        lone.poor += poor[f];
    }
    lone.failed = room ? count_failed(log, matched, poor, slot) : 0;
    exray_slot_free(slot);
    free(matched);
    free(poor);
    lone.poor = rich ? lone.poor : 0; /* a log without any data was not replayed */
    return lone;
}

static void explain_poor(const exray_log *log, const char *who, size_t poor, xr_frame_coverage *out)
{
    char clause[400];
    const char *level = told_reason(log);
    if (exray_log_metadata(log, "flight"))
        snprintf(clause, sizeof clause,
                 "the flight recorder of the %s log had no reason to write the inputs of %zu frames", who,
                 poor);
    else if (exray_log_metadata(log, "every_nth") || exray_log_metadata(log, "first_frames"))
        snprintf(clause, sizeof clause, "the %s log was recorded without the tensors of %zu frames (%s)", who,
                 poor, exray_log_metadata(log, "every_nth") ? "every_nth" : "first_frames");
    else
        snprintf(clause, sizeof clause, "the %s log has no inputs of %zu frames: %.160s", who, poor,
                 level ? level : "");
    add_clause(out, poor, clause);
}

static void explain_failed(const char *who, size_t failed, xr_frame_coverage *out)
{
    char clause[200];
    snprintf(clause, sizeof clause,
             "%zu frame%s of the %s log %s no output, and the next one has the same source: what failed was "
             "tried again",
             failed, failed == 1 ? "" : "s", who, failed == 1 ? "has" : "have");
    add_clause(out, failed, clause);
}

void xr_frame_coverage_get(const exray_comparison *comparison, xr_frame_coverage *out)
{
    static const char *const names[2] = {"edge", "reference"};
    const exray_log *log[2] = {exray_comparison_log(comparison, EXRAY_SIDE_EDGE),
                               exray_comparison_log(comparison, EXRAY_SIDE_REFERENCE)};
    size_t frames[2] = {exray_log_frame_count(log[0]), exray_log_frame_count(log[1])};
    exray_side larger = frames[1] > frames[0] ? EXRAY_SIDE_REFERENCE : EXRAY_SIDE_EDGE;
    *out = (xr_frame_coverage){
        .larger = larger, .frames = frames[larger], .matched = exray_comparison_frame_count(comparison)};
    const size_t lacking = out->frames - out->matched;
    const lone_frames lone = lacking ? count_lone(comparison, log[larger], larger) : (lone_frames){0, 0};
    if (lone.poor)
        explain_poor(log[larger], names[larger], lone.poor, out);
    if (lone.failed)
        explain_failed(names[larger], lone.failed, out);
    if (lacking > lone.poor + lone.failed)
        explain_lack(log[!larger], log[larger], names[!larger], lacking - lone.poor - lone.failed, out);
    size_t asked = out->frames - out->explained;
    out->share = asked ? fmin((double)out->matched / (double)asked, 1) : 1;
}

void xr_frame_coverage_words(const xr_frame_coverage *c, char *text, size_t size)
{
    bool edge = c->larger == EXRAY_SIDE_EDGE;
    snprintf(text, size, "%zu of the %zu frames of the %s log are in the %s's", c->matched, c->frames,
             edge ? "edge" : "reference", edge ? "reference" : "edge");
}

void xr_report_frame_coverage(const xr_frame_coverage *c, double least, exray_findings *findings)
{
    char words[160];
    if (c->matched == 0 || c->matched >= c->frames)
        return;
    bool few = c->share < least;
    exray_finding *f =
        exray_findings_add(findings, "log.coverage", few ? EXRAY_SEVERITY_WARNING : EXRAY_SEVERITY_INFO, 1);
    exray_finding_where(f, "log", NULL, EXRAY_NO_INDEX);
    xr_frame_coverage_words(c, words, sizeof words);
    exray_finding_summary(f, "Only %s.", words);
    if (*c->why)
        exray_finding_detail(f, "That is so because %s.", c->why);
    if (few)
        exray_finding_fix(f, "Record or replay the other frames, too, or lower --min-coverage (now %g).",
                          least);
    exray_finding_number(f, "frames", (double)c->frames);
    exray_finding_number(f, "frames_matched", (double)c->matched);
    exray_finding_number(f, "frames_explained", (double)c->explained);
}
