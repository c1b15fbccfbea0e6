/* A log may have fewer frames than the other for reasons that it names itself:
 *
 *   - a limit that was asked for: the metadata key `frames` ("stop after N frames");
 *   - drops: /system counts the records that did not fit, and with them frames that are not there;
 *   - gaps in Frame.index: frames that ran and were not recorded (capture off between triggers, an older file
 *     that rotation took, drops).  The index counts every frame of the run;
 *   - a flight recorder (the metadata key `flight`): between triggers a frame has its result and its times,
 * and nothing that could be replayed;
 *   - /event: what happened to the recording. */
#include "checks/frame_coverage.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a log says about frames that it has not got. */
typedef struct absence {
    uint64_t limit;   /* of frames, that it was recorded with; 0: none */
    uint64_t skipped; /* frames that its indices pass over */
    uint64_t dropped; /* records that its recorder dropped: a frame that is not there is at least one */
} absence;

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

/* Frames before the first, between two, and as many after the last as are usual between two. */
static uint64_t skipped_frames(const exray_log *log)
{
    size_t count = exray_log_frame_count(log);
    if (count == 0)
        return 0;
    uint64_t first = exray_log_frame(log, 0)->index, last = exray_log_frame(log, count - 1)->index;
    uint64_t between = last - first + 1 > count ? last - first + 1 - count : 0;
    uint64_t usual = count > 1 ? between / (count - 1) : 0;
    return first + between + usual;
}

static absence absence_of(const exray_log *log)
{
    return (absence){.limit = whole_number(exray_log_metadata(log, "frames")),
                     .skipped = skipped_frames(log),
                     .dropped = dropped_records(log)};
}

/* Frames of which a flight recorder wrote no tensor, since nothing triggered it. */
static size_t untriggered_frames(const exray_log *log)
{
    size_t count = 0;
    if (!exray_log_metadata(log, "flight"))
        return 0;
    for (size_t f = 0; f < exray_log_frame_count(log); f++) {
        const exray_record *record = exray_log_records(log, f);
        const size_t records = exray_log_frame(log, f)->record_count;
        bool tensor = false;
        for (size_t i = 0; i < records && !tensor; i++)
            tensor = record[i].message == EXRAY_MESSAGE_TENSOR;
        count += !tensor;
    }
    return count;
}

void xr_frame_coverage_get(const exray_comparison *comparison, xr_frame_coverage *out)
{
    const exray_log *log[2] = {exray_comparison_log(comparison, EXRAY_SIDE_EDGE),
                               exray_comparison_log(comparison, EXRAY_SIDE_REFERENCE)};
    size_t frames[2] = {exray_log_frame_count(log[0]), exray_log_frame_count(log[1])};
    exray_side larger = frames[1] > frames[0] ? EXRAY_SIDE_REFERENCE : EXRAY_SIDE_EDGE;
    *out = (xr_frame_coverage){
        .larger = larger, .frames = frames[larger], .matched = exray_comparison_frame_count(comparison)};
    size_t lacking = out->frames - out->matched;
    absence a = lacking ? absence_of(log[!larger]) : (absence){0};
    const char *who = larger == EXRAY_SIDE_EDGE ? "reference" : "edge";
    const size_t untriggered = lacking ? untriggered_frames(log[larger]) : 0;
    if (untriggered) {
        out->explained = untriggered < lacking ? untriggered : lacking;
        snprintf(out->why, sizeof out->why,
                 "the flight recorder of the %s log had no reason to write the inputs of %zu frames",
                 larger == EXRAY_SIDE_EDGE ? "edge" : "reference", untriggered);
    } else if (lacking && a.limit && frames[!larger] >= a.limit) {
        out->explained = lacking;
        snprintf(out->why, sizeof out->why, "the %s log was recorded with a limit of %" PRIu64 " frames", who,
                 a.limit);
    } else if (lacking && a.dropped) {
        out->explained = a.dropped < lacking ? (size_t)a.dropped : lacking;
        snprintf(out->why, sizeof out->why, "the %s's recorder dropped %" PRIu64 " records, and counted them",
                 who, a.dropped);
    } else if (lacking && a.skipped) {
        out->explained = a.skipped < lacking ? (size_t)a.skipped : lacking;
        snprintf(out->why, sizeof out->why,
                 "the frame numbers of the %s log pass over %zu that ran and were not recorded", who,
                 out->explained);
    }
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
