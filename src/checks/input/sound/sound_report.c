#include "checks/input/sound/sound_report.h"

#include "checks/findings.h"
#include "checks/input/frames/frame_words.h"
#include "checks/input/pipeline_of.h"
#include "checks/input/sound/sound_math.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A gain within this of 1 is none. */
#define SAME_GAIN 0.012

/* "100 ms at 16000 Hz". */
static void time_words(const xr_sound_sides *sides, double samples, char *text, size_t size)
{
    double rate = xr_sound_model_rate(sides);
    if (rate > 0)
        snprintf(text, size, "%.4g ms at %g Hz", 1000 * samples / rate, rate);
    else
        snprintf(text, size, "%.4g ms if the model takes 16000 Hz", samples / 16);
}

/* ---- Frames ------------------------------------------------------------------------------------------ */

void xr_report_sound_order(const xr_sound_report *r, const xr_sound_order *order)
{
    exray_finding *f = xr_sound_finding(r, "input.frame_order", 0.97);
    if (order->by)
        exray_finding_summary(f, "The edge's sound is the reference's %ld frame%s %s, in %zu of %zu frames.",
                              labs(order->by), labs(order->by) == 1 ? "" : "s",
                              order->by > 0 ? "later: the edge is ahead" : "before: the edge is behind",
                              order->supporting, order->differing);
    else
        exray_finding_summary(
            f, "The edge's sound is that of another frame of the reference, in %zu of %zu frames.",
            order->supporting, order->differing);
    exray_finding_fix(f,
                      "Feed the model the sound of the frame that is recorded: look for a buffer that is %s.",
                      order->by > 0 ? "filled again before it is used" : "one turn old");
    exray_finding_number(f, "frames_ahead", (double)order->by);
    exray_finding_number(f, "frames_supporting", (double)order->supporting);
    xr_sound_finding_end(r, f);
}

void xr_report_sound_across(const xr_sound_report *r, const xr_sound_across *a)
{
    exray_finding *f = xr_sound_finding(r, a->torn ? "input.frame_order" : "input.delay", 0.95);
    if (a->torn) {
        char at[64];
        if (a->least_at == a->most_at)
            snprintf(at, sizeof at, "sample %zu", a->least_at);
        else
            snprintf(at, sizeof at, "samples %zu to %zu", a->least_at, a->most_at);
        exray_finding_summary(
            f,
            "The edge's frames are torn: %s %s%s they have the samples of %ld frame%s %s, in %zu of "
            "%zu frames.",
            a->own_first ? "from" : "up to", at, a->own_first ? " on" : "", labs(a->by),
            labs(a->by) == 1 ? "" : "s", a->by > 0 ? "later" : "before", a->supporting, a->differing);
        exray_finding_fix(
            f, "Hand a buffer to the model once it is filled, and fill another one meanwhile (half of it is "
               "of another turn).");
        exray_finding_number(f, "frames_ahead", (double)a->by);
        exray_finding_number(f, "torn_at", (double)a->least_at);
    } else {
        exray_finding_summary(
            f,
            "The edge's windows are %ld samples apart, the reference's %ld: each begins %ld samples "
            "%s than the one before it would.",
            a->hop, a->length, labs(a->length - a->hop), a->hop < a->length ? "earlier" : "later");
        exray_finding_detail(
            f,
            "Found in the sound of all the reference's windows, one behind the other, sample for "
            "sample: %zu of them.",
            a->supporting);
        exray_finding_fix(
            f, "Move on by as many samples as the reference does (pipeline: `window: %ld hop %ld`).",
            a->length, a->length);
        exray_finding_number(f, "hop", (double)a->hop);
        exray_finding_number(f, "hop_reference", (double)a->length);
    }
    exray_finding_text(f, "kind", a->torn ? "torn" : "hop");
    exray_finding_number(f, "frames_supporting", (double)a->supporting);
    xr_sound_finding_end(r, f);
}

/* ---- What is done to the samples ---------------------------------------------------------------------- */

static void report_reading(const xr_sound_report *r, const xr_sound_relation *relation)
{
    bool reversed = relation->reading == XR_SAMPLES_REVERSED;
    exray_finding *f = xr_sound_finding(r, reversed ? "input.flip" : "input.dtype", 0.97);
    exray_finding_summary(f, "In the %s's sound, %s.", xr_sound_side_name[relation->turned],
                          xr_reading_words(relation->reading));
    exray_finding_detail(f, "Read so, it is the other side's: %.2g of the variance is left, in %zu frames.",
                         relation->rest, relation->supporting);
    exray_finding_fix(f, "%s", xr_reading_fix(relation->reading));
    exray_finding_text(f, "kind", xr_reading_name(relation->reading));
    exray_finding_number(f, "residual_share", relation->rest);
    xr_sound_finding_end(r, f);
}

static void report_channels(const xr_sound_report *r, const xr_sound_relation *relation)
{
    exray_finding *f = xr_sound_finding(r, "input.layout", 0.95);
    const char *who = xr_sound_side_name[relation->turned], *other = xr_sound_side_name[1 - relation->turned];
    char what[64];
    if (relation->channel < 0)
        snprintf(what, sizeof what, "the mean of the channels");
    else
        snprintf(what, sizeof what, "channel %d of them", relation->channel);
    if (relation->block)
        exray_finding_summary(
            f,
            "The %s's sound is %u channels%s, blocks of %zu samples of one after the other's, "
            "read as one; the %s has %s.",
            who, relation->channels, relation->channels == 2 ? " (stereo)" : "", relation->block, other,
            what);
    else
        exray_finding_summary(f, "The %s's sound is %u interleaved channels%s read as one; the %s has %s.",
                              who, relation->channels, relation->channels == 2 ? " (stereo)" : "", other,
                              what);
    exray_finding_fix(
        f, "Take %s before feeding the model%s.",
        relation->channel < 0 ? "the mean of the channels of each sample" : "one channel of the buffer",
        xr_has_pipeline(r->frames->comparison, EXRAY_SIDE_REFERENCE, NULL) ? " (pipeline: `channels: mono`)"
                                                                           : "");
    exray_finding_text(f, "kind", relation->block ? "planar" : "interleaved");
    exray_finding_number(f, "channels", relation->channels);
    if (relation->block)
        exray_finding_number(f, "block_samples", (double)relation->block);
    exray_finding_number(f, "residual_share", relation->rest);
    if (relation->channels == 2 && r->sides.channels < 2)
        exray_finding_alternative(f, "input.sample_rate", 0.1);
    xr_sound_finding_end(r, f);
}

static void channel_words(const xr_sound_sides *sides, int side, char *text, size_t size)
{
    if (sides->channel_of[side])
        snprintf(text, size, "channel %d of %u", sides->channel_of[side] - 1, (unsigned)sides->channels);
    else
        snprintf(text, size, "the mean of all %u channels", (unsigned)sides->channels);
}

bool xr_report_sound_channel(const xr_sound_report *r)
{
    char words[2][48];
    for (int s = 0; s < 2; s++) {
        if (!r->sides.channel_of[s] && !r->sides.raw[s])
            return false;
        channel_words(&r->sides, s, words[s], sizeof words[s]);
    }
    exray_finding *f = xr_sound_finding(r, "input.layout", 0.95);
    exray_finding_summary(f, "Of the sound in the log the edge takes %s; the reference takes %s.", words[0],
                          words[1]);
    exray_finding_fix(f, "Make one channel of several in the same way on both sides (%sthe mean, usually).",
                      xr_pipeline_key(r->frames->comparison, "channels: mono").text);
    exray_finding_text(f, "kind", "channel");
    exray_finding_number(f, "channels", r->sides.channels);
    xr_sound_finding_end(r, f);
    return true;
}

/* "0.5 x channel 0 - 0.5 x channel 1". */
static void mix_words(const xr_sound_sides *sides, int side, char *text, size_t size)
{
    const double least = 0.01;
    int used = 0;
    text[0] = '\0';
    for (uint32_t c = 0; c < sides->channels && used >= 0 && (size_t)used < size; c++) {
        const double factor = sides->mix[side][c];
        if (fabs(factor) >= least)
            used += snprintf(text + used, size - (size_t)used, "%s%s%.3g x channel %" PRIu32, used ? " " : "",
                             factor < 0 ? "- "
                             : used     ? "+ "
                                        : "",
                             fabs(factor), c);
    }
}

bool xr_report_sound_mix(const xr_sound_report *r)
{
    const xr_sound_sides *sides = &r->sides;
    const double same = 0.02;
    bool differs = false;
    char words[2][200];
    for (uint32_t c = 0; sides->mixed[0] && sides->mixed[1] && c < sides->channels; c++)
        differs = differs || fabs(sides->mix[0][c] - sides->mix[1][c]) > same;
    if (!differs)
        return false;
    for (int s = 0; s < 2; s++)
        mix_words(sides, s, words[s], sizeof words[s]);
    exray_finding *f = xr_sound_finding(r, "input.layout", 0.95);
    exray_finding_summary(f, "Of the sound in the log the edge takes %s; the reference takes %s.", words[0],
                          words[1]);
    exray_finding_fix(
        f, "Put the channels together alike on both sides (pipeline: `channels: mono` is their mean).");
    exray_finding_text(f, "kind", "mix");
    exray_finding_number(f, "channels", sides->channels);
    exray_finding_text(f, "edge_mix", words[0]);
    exray_finding_text(f, "reference_mix", words[1]);
    xr_sound_finding_end(r, f);
    return true;
}

/* Two usual rates of that ratio; the second is the model's if that is known, else 16 kHz where it fits, or
 * what microphones have: 44.1 and 48 kHz. */
static bool usual_pair(double ratio, double rate, double *from, double *to)
{
    size_t count = 0;
    while (xr_usual_rates[count] > 0)
        count++;
    for (int pass = 0; pass < 2; pass++)
        for (size_t a = count; a-- > 0;)
            for (size_t b = count; b-- > 0;) {
                const double model = xr_usual_rates[b];
                if (pass == 0 && model != (rate > 0 ? rate : 16000))
                    continue;
                if (fabs(xr_usual_rates[a] / model / ratio - 1) < 0.005) {
                    *from = xr_usual_rates[a], *to = model;
                    return true;
                }
            }
    return false;
}

static void report_rate(const xr_sound_report *r, const xr_sound_relation *relation)
{
    double ratio = relation->turned == EXRAY_SIDE_EDGE ? relation->ratio : 1 / relation->ratio, from = 0,
           to = 0;
    int wrong = xr_wrong_sound_side(&r->sides);
    exray_finding *f = xr_sound_finding(r, "input.sample_rate", 0.96);
    /* Of the wrong side; where that is not known, of the edge. */
    if (wrong == EXRAY_SIDE_REFERENCE)
        ratio = 1 / ratio;
    const char *who = xr_sound_side_name[wrong == EXRAY_SIDE_REFERENCE],
               *other = xr_sound_side_name[wrong != EXRAY_SIDE_REFERENCE];
    bool clock = fabs(ratio - 1) < XR_MOST_DRIFT,
         usual = !clock && usual_pair(ratio, xr_sound_model_rate(&r->sides), &from, &to);
    if (wrong >= 0 && usual)
        exray_finding_summary(f, "The %s feeds sound of %g Hz as if it were of %g Hz; the %s's is %s.", who,
                              from, to, other, r->sides.raw[1 - wrong] ? "of that rate" : "resampled");
    else if (usual)
        exray_finding_summary(
            f,
            "The %s's sound has %.4g times as many samples for the same time as the %s's: sound of "
            "%g Hz fed as if it were of %g Hz, say.",
            who, ratio, other, from, to);
    else if (clock)
        exray_finding_summary(f,
                              "The %s's sound runs %.0f ppm %s than the %s's: the clocks of the two differ.",
                              who, 1e6 * fabs(1 / ratio - 1), ratio < 1 ? "faster" : "slower", other);
    else
        exray_finding_summary(f,
                              "The %s's sound has %.4g times as many samples for the same time as the %s's.",
                              who, ratio, other);
    exray_finding_detail(
        f, "Resampled to the other's rate it agrees: %.2g of the variance is left, in %zu frames.",
        relation->rest, relation->supporting);
    char key[32];
    snprintf(key, sizeof key, "rate: %g", to > 0 ? to : 16000);
    if (usual)
        exray_finding_fix(f,
                          "Resample from %g to %g Hz before the model (%sor ask the microphone for %g Hz).",
                          from, to, xr_pipeline_key(r->frames->comparison, "%s", key).text, to);
    else if (clock)
        exray_finding_fix(f, "Take both sides' samples from one clock, or resample by what the two differ.");
    else
        exray_finding_fix(f, "Resample to the model's rate before feeding it (divide the rate by %.4g).",
                          ratio);
    exray_finding_number(f, "ratio", ratio);
    if (clock) {
        exray_finding_text(f, "kind", "clock");
        exray_finding_number(f, "ppm", 1e6 * (1 / ratio - 1));
    }
    if (usual) {
        exray_finding_number(f, "rate_fed", from);
        exray_finding_number(f, "rate_expected", to);
    }
    if (fabs(ratio - 2) < 1e-6 && r->sides.channels != 1)
        exray_finding_alternative(f, "input.layout", 0.2);
    exray_finding_number(f, "residual_share", relation->rest);
    xr_sound_finding_end(r, f);
}

static void report_shift(const xr_sound_report *r, const xr_sound_relation *relation)
{
    exray_finding *f = xr_sound_finding(r, "input.delay", 0.95);
    char time[64], more[64];
    if (relation->varies) {
        time_words(&r->sides, (double)(relation->most_shift - relation->least_shift), time, sizeof time);
        exray_finding_summary(
            f,
            "The edge's sound is shifted against the reference's by another number of samples in each "
            "frame: from %ld to %ld later (they vary by %s).",
            -relation->most_shift, -relation->least_shift, time);
        exray_finding_number(f, "late_least_samples", (double)-relation->most_shift);
        exray_finding_number(f, "late_most_samples", (double)-relation->least_shift);
    } else {
        double shift = (double)relation->shift - relation->fraction;
        double late = relation->turned == EXRAY_SIDE_EDGE ? -shift : shift;
        if (relation->ratio != 1 && relation->turned == EXRAY_SIDE_REFERENCE)
            late /= relation->ratio;
        time_words(&r->sides, fabs(late), time, sizeof time);
        exray_finding_summary(f, "The edge's sound is %s by %.6g sample%s (%s) against the reference's.",
                              late > 0 ? "late" : "early", fabs(late), fabs(late) == 1 ? "" : "s", time);
        exray_finding_number(f, "late_samples", late);
        exray_finding_number(
            f, "late_ms",
            1000 * late / (xr_sound_model_rate(&r->sides) > 0 ? xr_sound_model_rate(&r->sides) : 16000));
    }
    if (relation->rival_shift) {
        time_words(&r->sides, (double)labs(relation->rival_shift), more, sizeof more);
        exray_finding_detail(f, "The sound is periodic: other shifts explain as much (by %ld samples, %s).",
                             -relation->rival_shift, more);
        if (relation->rival_sign)
            exray_finding_alternative(f, "input.gain", 0.3);
    }
    exray_finding_fix(
        f, "Let both sides take the samples from the same moment on: look for a buffer that is filled "
           "before recording begins, samples that are skipped at the start, or a filter's delay.");
    exray_finding_number(f, "residual_share", relation->rest);
    xr_sound_finding_end(r, f);
}

void xr_report_sound_relation(const xr_sound_report *r, const xr_sound_relation *relation)
{
    if (relation->reading != XR_SAMPLES_AS_IS)
        report_reading(r, relation);
    if (relation->channels)
        report_channels(r, relation);
    if (relation->ratio != 1)
        report_rate(r, relation);
    /* Resamplers begin a few samples earlier or later. */
    long least = relation->ratio != 1 ? 8 : 0;
    /* Where a buffer begins that is read backwards is no delay. */
    if (relation->reading == XR_SAMPLES_REVERSED)
        return;
    if (relation->varies || labs(relation->shift) > least || relation->fraction > 0)
        report_shift(r, relation);
}

/* ---- Values -------------------------------------------------------------------------------------------- */

static bool is_near(double a, double b)
{
    return fabs(a / b - 1) < 0.006;
}

/* What a gain is known for; NULL: nothing. */
static const char *known_gain(double gain)
{
    static const struct {
        double gain;
        const char *words;
    } known[] = {
        {32768, "16-bit samples that are not divided by 32768"},
        {1.0 / 32768,
         "divided by 32768 where the other is not (twice, or of samples that were in [-1, 1] already)"},
        {32768.0 / 255, "16-bit samples divided by 255 instead of 32768"},
        {256, "16-bit samples divided by 128, as 8-bit ones are"},
        {1.0 / 256, "8-bit samples divided by 32768"},
        {128, "samples in the unit of 8 bits"},
        {65536, "32-bit samples divided by 32768"},
        {1.0 / 65536, "16-bit samples divided by 2147483648, as 32-bit ones are"},
        {0.5, "16-bit samples divided by 65536 instead of 32768, or half the volume"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (is_near(fabs(gain), known[i].gain))
            return known[i].words;
    return NULL;
}

static void add_gain_fix(const xr_sound_report *r, double gain, exray_finding *f)
{
    exray_finding_fix(
        f,
        "Scale the samples as the reference does (%suntil then, divide the edge's by %.6g), and switch "
        "off gain control that only one side has.",
        xr_pipeline_key(r->frames->comparison, "scale: ...").text, gain);
}

static void report_line(const xr_sound_report *r, const xr_sound_values *v, double gain, double offset,
                        bool scaled, bool shifted)
{
    exray_finding *f = xr_sound_finding(r, shifted ? "input.normalization" : "input.gain", 0.97);
    const char *known = known_gain(gain);
    double db = 20 * log10(fabs(gain));
    if (shifted && !scaled)
        exray_finding_summary(f, "The edge's samples have an offset: they are the reference's %c %.4g.",
                              offset < 0 ? '-' : '+', fabs(offset));
    else if (shifted)
        exray_finding_summary(f, "The edge's samples are %.6g x the reference's %c %.4g (an offset).", gain,
                              offset < 0 ? '-' : '+', fabs(offset));
    else if (gain < 0 && is_near(-gain, 1))
        exray_finding_summary(
            f, "The edge's sound has the opposite polarity: its samples are -1 times the reference's.");
    else {
        char times[32]; /* what a resampler is part of is no more exact */
        snprintf(times, sizeof times, v->rest > XR_SOUND_NOISE ? "%.3g" : "%.6g", gain);
        exray_finding_summary(f, "The edge's samples are %s times the reference's (%+.1f dB%s)%s%s.", times,
                              db, gain < 0 ? ", inverted" : "", known ? ": " : "", known ? known : "");
    }
    if (!known && fabs(gain) < 0.9)
        exray_finding_detail(f, "The edge is quieter, by 1 / %.4g.", 1 / fabs(gain));
    if (shifted && !scaled)
        exray_finding_fix(
            f,
            "Subtract %.4g from the edge's samples: read unsigned ones as such, or take out the offset "
            "of the microphone.",
            offset);
    else
        add_gain_fix(r, gain, f);
    exray_finding_number(f, "gain", gain);
    exray_finding_number(f, "gain_db", db);
    if (shifted)
        exray_finding_number(f, "offset", offset);
    exray_finding_number(f, "residual_share", v->rest);
    if (!scaled || shifted)
        exray_finding_alternative(f, shifted ? "input.gain" : "input.normalization", 0.1);
    xr_sound_finding_end(r, f);
}

static void report_gains(const xr_sound_report *r, const xr_sound_values *v, double least, double most)
{
    exray_finding *f = xr_sound_finding(r, "input.gain", 0.95);
    bool within = v->kind == XR_SOUND_VALUES_MOVING;
    exray_finding_summary(
        f, "The edge's gain against the reference varies %s: from %.4g to %.4g (%+.1f to %+.1f dB).",
        within ? "within the frames" : "from frame to frame", least, most, 20 * log10(fabs(least)),
        20 * log10(fabs(most)));
    if (v->to_peak)
        exray_finding_detail(f, "One side scales each frame to the same peak.");
    else if (v->to_loudness)
        exray_finding_detail(f, "One side scales each frame to the same loudness (rms).");
    exray_finding_fix(
        f, "Switch off automatic gain control (or scaling each frame by its peak) on the side that has it, "
           "or have it on both.");
    exray_finding_text(f, "kind",
                       v->to_peak       ? "peak"
                       : v->to_loudness ? "loudness"
                       : within         ? "moving"
                                        : "frames");
    exray_finding_number(f, "gain_least", least);
    exray_finding_number(f, "gain_most", most);
    exray_finding_number(f, "residual_share", v->rest);
    xr_sound_finding_end(r, f);
}

static void report_clipping(const xr_sound_report *r, const xr_sound_relation *relation,
                            const xr_sound_values *v, double gain)
{
    int clipped = v->limited == 0 ? relation->turned : 1 - relation->turned;
    exray_finding *f = xr_sound_finding(r, "input.gain", 0.96);
    if (clipped == EXRAY_SIDE_REFERENCE)
        gain = 1 / gain;
    exray_finding_summary(
        f,
        "The %s's sound is clipped to %.4g .. %.4g behind a gain of %.4g (%+.1f dB): %.2g %% of its "
        "samples are at the limits.",
        xr_sound_side_name[clipped], v->limit[0], v->limit[1], gain, 20 * log10(fabs(gain)),
        100 * v->clipped_share);
    exray_finding_fix(f, "Lower the gain in front of the limit by %.1f dB: what is clipped cannot be undone.",
                      fmax(0, 20 * log10(fabs(gain))));
    exray_finding_text(f, "kind", "clipped");
    exray_finding_number(f, "gain", gain);
    exray_finding_number(f, "clipped_share", v->clipped_share);
    exray_finding_number(f, "residual_share", v->rest);
    exray_finding_alternative(f, "layer.saturation", 0.05);
    xr_sound_finding_end(r, f);
}

static void report_wrapping(const xr_sound_report *r, const xr_sound_values *v)
{
    exray_finding *f = xr_sound_finding(r, "input.gain", 0.96);
    exray_finding_summary(f,
                          "The edge's samples are %.4g x the reference's (%+.1f dB) and wrap around: %.2g %% "
                          "of them exceed the "
                          "16-bit range and come back at its other end.",
                          v->gain, 20 * log10(fabs(v->gain)), 100 * v->clipped_share);
    exray_finding_fix(f, "Take the gain out, or compute it with more bits and saturate (clip) before storing "
                         "int16: what has wrapped can be neither heard nor undone by a factor.");
    exray_finding_text(f, "kind", "wrapped");
    exray_finding_number(f, "gain", v->gain);
    exray_finding_number(f, "wrapped_share", v->clipped_share);
    exray_finding_number(f, "residual_share", v->rest);
    exray_finding_alternative(f, "input.dtype", 0.05);
    xr_sound_finding_end(r, f);
}

void xr_report_sound_steps(const xr_sound_report *r, const xr_sound_steps *steps)
{
    const char *who = xr_sound_side_name[steps->coarse];
    /* Of full scale, which is 1 or 32768. */
    const double bits = round(log2((steps->step < 1 ? 2 : 65536) / steps->step));
    exray_finding *f = xr_sound_finding(r, "input.dtype", 0.93);
    exray_finding_summary(
        f,
        "The %s's samples are the %s's in steps of %.4g, as %g bits have them: what lies between is "
        "rounded.",
        who, xr_sound_side_name[1 - steps->coarse], steps->step, bits);
    exray_finding_fix(f, "Keep samples in 16 bits or as floats up to the model's input, on both sides.");
    exray_finding_text(f, "kind", "bits");
    exray_finding_number(f, "bits", bits);
    exray_finding_number(f, "step", steps->step);
    exray_finding_number(f, "residual_share", steps->rest);
    exray_finding_alternative(f, "input.quantization", 0.2);
    xr_sound_finding_end(r, f);
}

static void report_curve(const xr_sound_report *r, const xr_sound_values *v)
{
    exray_finding *f = xr_sound_finding(r, "input.gain", 0.9);
    exray_finding_summary(
        f, "The edge's samples are a curve of the reference's, not a multiple: one side compresses, "
           "limits or rectifies them.");
    exray_finding_fix(
        f, "Look for a compressor, a limiter, mu-law or a rectifier on one side, and take it out.");
    exray_finding_text(f, "kind", "curve");
    exray_finding_number(f, "residual_share", v->rest);
    exray_finding_alternative(f, "input.dtype", 0.2);
    xr_sound_finding_end(r, f);
}

static void report_band(const xr_sound_report *r, const xr_sound_relation *relation, const xr_sound_values *v)
{
    int lacks = v->limited == 0 ? relation->turned : 1 - relation->turned;
    double rate = xr_sound_model_rate(&r->sides), as = rate > 0 ? rate : 16000, cutoff = v->cutoff * as / 2,
           nearest = 2 * cutoff;
    exray_finding *f = xr_sound_finding(r, "input.sample_rate", 0.9);
    for (size_t i = 0; xr_usual_rates[i] > 0; i++)
        if (fabs(xr_usual_rates[i] / (2 * cutoff) - 1) < 0.12 && xr_usual_rates[i] < as)
            nearest = xr_usual_rates[i];
    exray_finding_summary(
        f,
        "The %s's sound lacks the band above %.0f Hz%s, as sound of %g Hz that is resampled to %g Hz "
        "does.",
        xr_sound_side_name[lacks], cutoff, rate > 0 ? "" : " (if the model takes 16000 Hz)", nearest, as);
    exray_finding_detail(f, "Below that the two agree; of the %s's variance %.2g is above.",
                         xr_sound_side_name[1 - lacks], v->rest);
    exray_finding_fix(
        f, "Record at %g Hz or more on the side that lacks the band, or train and validate with what it has.",
        as);
    exray_finding_number(f, "cutoff_share_of_band", v->cutoff);
    exray_finding_number(f, "cutoff_hz", cutoff);
    exray_finding_number(f, "rate_before", nearest);
    exray_finding_text(f, "kind", "band");
    exray_finding_alternative(f, "input.features", 0.1);
    xr_sound_finding_end(r, f);
}

bool xr_report_sound_values(const xr_sound_report *r, const xr_sound_relation *relation,
                            const xr_sound_values *v)
{
    /* In the edge's terms. */
    bool turned = relation->turned == EXRAY_SIDE_REFERENCE;
    double gain = turned ? 1 / v->gain : v->gain, offset = turned ? -v->offset / v->gain : v->offset;
    double least = turned ? 1 / v->most : v->least, most = turned ? 1 / v->least : v->most;
    double same = relation->ratio != 1 || relation->channels ? 5 * SAME_GAIN : SAME_GAIN;
    /* Less than that is a gain where it is all that differs. */
    const bool all = relation->ratio == 1 && !relation->channels && fabs(gain - 1) > 10 * sqrt(v->rest);
    bool scaled = fabs(gain - 1) > same || (all && v->kind == XR_SOUND_VALUES_LINE);
    /* Relative to the signal. */
    double deviation = 0;
    for (size_t i = 0; i < r->frames->count; i++)
        deviation = fmax(deviation, sqrt(r->frames->list[i].energy[1]));
    bool shifted = fabs(offset) > 0.03 * fabs(gain) * deviation;
    switch (v->kind) {
    case XR_SOUND_VALUES_LINE:
        if (relation->reading == XR_SAMPLES_BITS)
            return false; /* floats of such bits have no unit */
        if (scaled || shifted)
            report_line(r, v, gain, offset, scaled, shifted);
        return scaled || shifted;
    case XR_SOUND_VALUES_FRAMES:
    case XR_SOUND_VALUES_MOVING:
        report_gains(r, v, least, most);
        return true;
    case XR_SOUND_VALUES_CLIPPED:
        report_clipping(r, relation, v, gain);
        return true;
    case XR_SOUND_VALUES_WRAPPED:
        report_wrapping(r, v);
        return true;
    case XR_SOUND_VALUES_CURVE:
        report_curve(r, v);
        return true;
    case XR_SOUND_VALUES_BAND:
        report_band(r, relation, v);
        return true;
    default:
        return false;
    }
}

/* ---- Buffers --------------------------------------------------------------------------------------------
 */

static void say_places(exray_finding *f, const char *what, size_t count, size_t least, size_t most,
                       size_t frames)
{
    if (!count)
        return;
    if (least == most)
        exray_finding_detail(f, "%s: %zu samples at %zu places in %zu frames.", what, least, count, frames);
    else
        exray_finding_detail(f, "%s: %zu to %zu samples at %zu places in %zu frames.", what, least, most,
                             count, frames);
}

void xr_report_sound_pieces(const xr_sound_report *r, const xr_sound_pieces *p)
{
    bool exchanged = p->lost && p->repeated, zeroed = p->zeroed > p->lost + p->repeated;
    exray_finding *f = xr_sound_finding(r, exchanged ? "input.frame_order" : "input.delay", 0.93);
    int kind = zeroed ? 2 : p->lost >= p->repeated ? 0 : 1;
    static const char *const words[3] = {
        "lacks samples that the reference has (buffers lost)",
        "has samples twice, or more than the reference has (buffers repeated)",
        "is zero (silent) where the reference is not (buffers zeroed)"};
    char every[64] = "";
    if (p->spacing)
        snprintf(every, sizeof every, ", one every %zu", p->spacing);
    if (exchanged)
        exray_finding_summary(
            f, "The edge's sound is the reference's in pieces of another order (buffers exchanged or "
               "lost and repeated).");
    else if (kind == 2 && p->unfilled == p->zeroed)
        exray_finding_summary(
            f,
            "The edge's sound ends early: its last %zu samples%s are zero (silent) where the "
            "reference's are not.",
            p->least[2], p->most[2] > p->least[2] ? " or more" : "");
    else
        exray_finding_summary(f, "The edge's sound %s: pieces of %zu samples%s.", words[kind], p->least[kind],
                              every);
    say_places(f, "Left out", p->lost, p->least[0], p->most[0], p->frames);
    say_places(f, "Repeated or put in", p->repeated, p->least[1], p->most[1], p->frames);
    say_places(f, "Zero", p->zeroed, p->least[2], p->most[2], p->frames);
    exray_finding_fix(
        f, "%s",
        exchanged   ? "Read the ring buffer in order: look for an index that is off by a buffer."
        : kind == 2 ? "Look for buffers that are handed on before they are filled, or cleared on an overrun."
                    : "Look for overruns of the microphone's buffer: give its reader more time or a larger "
                      "buffer.");
    exray_finding_text(f, "kind",
                       exchanged   ? "exchanged"
                       : kind == 2 ? "zeroed"
                       : kind == 1 ? "repeated"
                                   : "lost");
    exray_finding_number(f, "places_lost", (double)p->lost);
    exray_finding_number(f, "places_repeated", (double)p->repeated);
    exray_finding_number(f, "places_zeroed", (double)p->zeroed);
    exray_finding_number(f, "samples", (double)p->least[kind]);
    if (p->spacing)
        exray_finding_number(f, "spacing_samples", (double)p->spacing);
    xr_sound_finding_end(r, f);
}
