#include "checks/input/sound/explain_sound.h"

#include "checks/input/sound/sound_kept.h"
#include "checks/input/sound/sound_math.h"
#include "checks/input/sound/sound_report.h"
#include "checks/input/sound/sound_wrap.h"
#include "checks/port/tensor_type.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What rounding to 16 bits and the ends of long filters leave; and what rounding alone does. */
#define FILTERED 2e-3
#define EXACT    1e-5

/* The variance that noise leaves: 34 dB below the signal, or two roundings to the tensor's steps. */
static double allowed_of(const xr_sound_frames *frames)
{
    double energy = 0, steps = 0;
    for (size_t i = 0; i < frames->count; i++)
        energy = fmax(energy, frames->list[i].energy[1]);
    for (int s = 0; s < 2; s++) {
        if (xr_is_byte(frames->dtype[s]) && frames->io->step[s] > 0)
            steps += frames->io->step[s] * frames->io->step[s] / 6;
    }
    return fmax(XR_SOUND_NOISE, energy > 0 ? fmin(steps / energy, 0.05) : 0);
}

static bool is_plain(const xr_sound_relation *r)
{
    return r->reading == XR_SAMPLES_AS_IS && !r->channels && r->ratio == 1 && r->shift == 0 &&
           r->fraction == 0 && !r->varies;
}

/* Frames that were brought together. */
typedef struct brought_together {
    xr_sound_segment *segments; /* NULL: memory is lacking */
    size_t count;
} brought_together;

static brought_together bring(const xr_sound_report *r, const xr_sound_relation *relation)
{
    brought_together b;
    b.segments = xr_sound_segments(r->frames, relation, &b.count);
    return b;
}

/* Judges the values of both sides; whether something was reported. */
static bool report_values(const xr_sound_report *r, const xr_sound_relation *relation,
                          const brought_together *b, double allowed)
{
    const xr_sound_segment *segments = b->segments;
    const size_t count = b->count;
    xr_sound_values values;
    if (!segments)
        return false;
    xr_judge_sound_values(segments, count, allowed, &values);
    if (values.kind == XR_SOUND_VALUES_UNKNOWN && is_plain(relation))
        xr_judge_sound_wrapping(segments, count, &values);
    if (values.kind == XR_SOUND_VALUES_UNKNOWN && relation->ratio == 1 && values.gain > 0)
        xr_judge_sound_band(segments, count, &values);
    /* Resamplers differ in how much they keep at the end of the band. */
    if (values.kind == XR_SOUND_VALUES_FRAMES && (relation->ratio != 1 || relation->channels) &&
        values.least > 0.8 * values.most)
        values.kind = XR_SOUND_VALUES_LINE;
    /* A low pass with few poles is made again to the last digits; what another rate left is not. */
    xr_sound_filter filter;
    bool filtered = values.kind == XR_SOUND_VALUES_BAND && is_plain(relation) &&
                    xr_find_recursive_filter(segments, count, EXACT, &filter);
    if (filtered)
        xr_report_sound_filter(r, &filter);
    return filtered || xr_report_sound_values(r, relation, &values);
}

static bool report_dynamics(const xr_sound_report *r, const brought_together *b, double allowed)
{
    const xr_sound_relation plain = xr_no_sound_relation();
    xr_sound_values values;
    return b->segments && xr_judge_sound_dynamics(b->segments, b->count, allowed, &values) &&
           xr_report_sound_values(r, &plain, &values);
}

/* A filter that only one side has, for what nothing else explains. */
static bool report_filter(const xr_sound_report *r, const brought_together *b, double allowed)
{
    const double most = fmax(allowed, FILTERED);
    xr_sound_filter filter;
    const bool found = b->segments && (xr_find_sound_filter(b->segments, b->count, most, &filter) ||
                                       xr_find_recursive_filter(b->segments, b->count, most, &filter));
    if (found)
        xr_report_sound_filter(r, &filter);
    return found;
}

/* A long filter, for what is nothing else. */
static bool report_response(const xr_sound_report *r, const brought_together *b)
{
    xr_sound_response *response = b->segments ? xr_find_sound_response(b->segments, b->count) : NULL;
    const bool found = response != NULL;
    if (found)
        xr_report_sound_response(r, response);
    free(response);
    return found;
}

/* A tone that only one side has. */
static bool report_tone(const xr_sound_report *r, const brought_together *b, double allowed)
{
    xr_sound_tone tone;
    const bool found = b->segments && xr_find_sound_tone(b->segments, b->count, allowed, &tone);
    if (found)
        xr_report_sound_tone(r, &tone);
    return found;
}

/* What two usual resamplers make of one sound. */
static bool report_resamplers(const xr_sound_report *r, const brought_together *b)
{
    xr_sound_resamplers resamplers;
    const bool found = b->segments && xr_find_sound_resamplers(b->segments, b->count, &r->sides, &resamplers);
    if (found)
        xr_report_sound_resamplers(r, &resamplers);
    return found;
}

/* A gain, where only some frames are shifted: of those that are not. */
static void report_values_in_place(const xr_sound_report *r, double allowed)
{
    const xr_sound_relation plain = xr_no_sound_relation();
    size_t count, in_place = 0;
    xr_sound_values values;
    xr_sound_segment *segments = xr_sound_segments(r->frames, &plain, &count);
    for (size_t i = 0; segments && i < count; i++)
        if (xr_fit_line(segments[i].y, segments[i].x, segments[i].count).rest <= allowed) {
            xr_sound_segment first = segments[in_place];
            segments[in_place++] = segments[i];
            segments[i] = first;
        }
    if (in_place) {
        xr_judge_sound_values(segments, in_place, allowed, &values);
        xr_report_sound_values(r, &plain, &values);
    }
    xr_free_segments(segments, count);
}

/* What a resampler makes of a window of which it does not hear what is around. */
static bool report_alone(const xr_sound_report *r)
{
    xr_sound_alone alone;
    const bool found = xr_find_sound_alone(r->frames, &r->sides, &alone);
    if (found)
        xr_report_sound_alone(r, &alone);
    return found;
}

static void report_relation(const xr_sound_report *r, const xr_sound_relation *relation, double allowed)
{
    xr_report_sound_relation(r, relation);
    xr_keep_sound_relation(r->findings, r->frames->pair, relation);
    bool resampled = relation->ratio != 1 || relation->channels;
    if (relation->varies) {
        report_values_in_place(r, allowed);
        return;
    }
    const brought_together b = bring(r, relation);
    report_values(r, relation, &b, resampled ? fmax(allowed, 0.1) : allowed);
    xr_free_segments(b.segments, b.count);
}

/* Values that are clipped hide how well a shift explains them. */
static bool report_late_and_clipped(const xr_sound_report *r, double allowed)
{
    xr_sound_relation lag;
    size_t count;
    xr_sound_values values;
    if (!xr_find_sound_lag(r->frames, &lag) || lag.shift == 0)
        return false;
    xr_sound_segment *segments = xr_sound_segments(r->frames, &lag, &count);
    if (segments)
        xr_judge_sound_values(segments, count, allowed, &values);
    bool clipped = segments && values.kind == XR_SOUND_VALUES_CLIPPED;
    xr_free_segments(segments, count);
    if (clipped) {
        lag.rest = values.rest;
        xr_report_sound_relation(r, &lag);
        xr_keep_sound_relation(r->findings, r->frames->pair, &lag);
        xr_report_sound_values(r, &lag, &values);
    }
    return clipped;
}

/* From the simplest on.  b: of the frames as they are. */
static bool explain_by(const xr_sound_report *r, const brought_together *b)
{
    double allowed = allowed_of(r->frames);
    const xr_sound_relation plain = xr_no_sound_relation();
    xr_sound_order order;
    xr_sound_relation relation;
    xr_sound_pieces pieces;
    xr_sound_across across;
    if (xr_report_careless_resampler(r) || report_alone(r) || report_resamplers(r, b))
        return true;
    if (report_values(r, &plain, b, allowed)) {
        xr_keep_sound_relation(r->findings, r->frames->pair, &plain);
        return true;
    }
    if (xr_find_sound_order(r->frames, &order)) {
        xr_report_sound_order(r, &order);
        return true;
    }
    if ((r->sides.channel_of[0] != r->sides.channel_of[1] && xr_report_sound_channel(r)) ||
        xr_report_sound_mix(r))
        return true;
    bool related = xr_find_sound_relation(r->frames, &relation);
    bool as_is = relation.reading == XR_SAMPLES_AS_IS && !relation.channels && relation.ratio == 1;
    bool unexplained = !related || (as_is && relation.rest > allowed);
    if (unexplained && xr_find_sound_across(r->frames, &across)) {
        xr_report_sound_across(r, &across);
        return true;
    }
    if (unexplained && (report_tone(r, b, allowed) || report_filter(r, b, allowed)))
        return true;
    if (unexplained && xr_find_sound_pieces(r->frames, &pieces)) {
        const xr_sound_values line = {
            .kind = XR_SOUND_VALUES_LINE, .gain = pieces.gain, .least = pieces.gain, .most = pieces.gain};
        xr_report_sound_pieces(r, &pieces);
        xr_report_sound_values(r, &plain, &line);
        return true;
    }
    if (related && !is_plain(&relation)) {
        report_relation(r, &relation, allowed);
        return true;
    }
    if (report_dynamics(r, b, allowed) || (!related && report_late_and_clipped(r, allowed)) ||
        report_response(r, b))
        return true;
    if (related || !xr_find_composed_sound_relation(r->frames, &relation))
        return false;
    report_relation(r, &relation, allowed);
    return true;
}

static bool explain(const xr_sound_report *r)
{
    const xr_sound_relation plain = xr_no_sound_relation();
    const brought_together b = bring(r, &plain);
    const bool told = explain_by(r, &b);
    xr_free_segments(b.segments, b.count);
    return told;
}

/* Whether what differs is no more than two steps of 16-bit sound, and no gain or offset: in quiet sound, too.
 */
static bool is_dither(const xr_sound_frames *frames)
{
    const exray_metrics *m = &frames->io->metrics;
    double most = fmax(fmax(fabs(m->min[0]), fabs(m->max[0])), fmax(fabs(m->min[1]), fabs(m->max[1])));
    double step = most <= 1.001 ? 1.0 / 32768 : 1, explained = 0, all = 0;
    for (size_t i = 0; i < frames->count; i++) {
        const xr_sound_frame *f = &frames->list[i];
        if (f->equal || f->silent)
            continue;
        xr_line line = xr_fit_line(f->side[0], f->side[1], f->count);
        all += f->rest * f->energy[1] * (double)f->count;
        explained += line.rest * f->energy[0] * (double)f->count;
    }
    return m->max_abs <= 2.01 * step && explained >= 0.7 * all;
}

bool xr_explain_sound(const exray_comparison *comparison, size_t pair, exray_findings *findings,
                      bool *samples)
{
    *samples = false;
    const exray_io_pair *io = exray_comparison_input(comparison, pair);
    xr_sound_frames *frames = io->problem ? NULL : xr_sound_frames_read(comparison, pair);
    if (!frames)
        return false;
    xr_sound_report r = {.frames = frames, .findings = findings};
    bool nothing = io->faint && is_dither(frames);
    if (frames->differing && !nothing)
        xr_find_sound_sides(frames, &r.sides);
    *samples = r.sides.proper[EXRAY_SIDE_REFERENCE] || r.sides.raw[EXRAY_SIDE_REFERENCE];
    if (io->faint) {
        nothing = nothing || (frames->differing && report_alone(&r));
        xr_sound_frames_free(frames);
        return nothing;
    }
    xr_sound_steps steps;
    if (xr_find_sound_steps(frames, &steps)) {
        xr_report_sound_steps(&r, &steps);
        xr_sound_frames_free(frames);
        return true;
    }
    bool told = frames->differing && explain(&r);
    /* Beside what is told of the others, or alone. */
    if ((told || !frames->differing) && xr_report_silence(&r))
        told = true;
    /* What happened may be longer than a frame. */
    if (!told && frames->differing && xr_join_sound(frames))
        told = frames->differing && explain(&r);
    xr_sound_frames_free(frames);
    return told;
}
