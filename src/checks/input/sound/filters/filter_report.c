/* What filters, resamplers and hums leave of one side's samples, in words. */
#include "checks/input/pipeline_of.h"
#include "checks/input/sound/sound_report.h"

#include <math.h>
#include <stdio.h>

/* "-3.1 dB at 100 Hz, ...": what a filter passes, by its share of half the rate; "": nothing is known. */
static void passes(double rate, double (*decibels)(const void *, double), const void *filter, char text[160])
{
    static const double hertz[] = {100, 300, 1000, 3000, 6000};
    int used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof hertz / sizeof *hertz && used >= 0 && used < 160; i++)
        if (hertz[i] < 0.9 * rate / 2)
            used += snprintf(text + used, 160 - (size_t)used, "%s%+.1f dB at %g Hz", used ? ", " : "",
                             decibels(filter, 2 * hertz[i] / rate), hertz[i]);
}

static double of_filter(const void *filter, double share)
{
    return xr_filter_decibels(filter, share);
}

static double of_response(const void *response, double share)
{
    return xr_response_decibels(response, share);
}

void xr_report_sound_response(const xr_sound_report *r, const xr_sound_response *response)
{
    const double rate = xr_sound_model_rate(&r->sides), as = rate > 0 ? rate : 16000;
    const char *who = xr_sound_side_name[response->filtered],
               *other = xr_sound_side_name[1 - response->filtered];
    exray_finding *f = xr_sound_finding(r, "input.gain", 0.9);
    char text[160];
    if (response->echo)
        exray_finding_summary(
            f,
            "The %s's samples are the %s's and an echo of them, %.2g times as loud, %ld samples "
            "later (%.3g ms%s).",
            who, other, response->echo_gain, response->echo, 1000 * (double)response->echo / as,
            rate > 0 ? "" : " if the model takes 16000 Hz");
    else
        exray_finding_summary(f, "The %s's samples are the %s's behind a long filter.", who, other);
    passes(as, of_response, response, text);
    exray_finding_detail(f, "It passes %s; %.2g of the variance is left.", text, response->rest);
    exray_finding_fix(f, "%s",
                      response->echo
                          ? "Take the echo out, or have it on both sides: a loudspeaker that the microphone "
                            "hears, a buffer that is mixed with an older one."
                          : "Take the filter out (a band pass of a headset or a telephone, an equalizer, a "
                            "room), or have it on both sides.");
    exray_finding_text(f, "kind", response->echo ? "echo" : "filter");
    exray_finding_text(f, "filtered_side", who);
    if (response->echo) {
        exray_finding_number(f, "echo_samples", (double)response->echo);
        exray_finding_number(f, "echo_gain", response->echo_gain);
    }
    exray_finding_number(f, "residual_share", response->rest);
    exray_finding_alternative(f, "input.unknown", 0.1);
    xr_sound_finding_end(r, f);
}

void xr_report_sound_filter(const xr_sound_report *r, const xr_sound_filter *filter)
{
    double rate = xr_sound_model_rate(&r->sides), as = rate > 0 ? rate : 16000,
           a = xr_filter_emphasis(filter);
    const char *who = xr_sound_side_name[filter->filtered], *other = xr_sound_side_name[1 - filter->filtered];
    exray_finding *f = xr_sound_finding(r, "input.gain", 0.9);
    if (a > 0)
        exray_finding_summary(
            f, "The %s's samples are the %s's behind a pre-emphasis filter: y[i] = x[i] - %.3g x[i - 1].",
            who, other, a);
    else
        exray_finding_summary(f, "The %s's samples are the %s's behind a filter.", who, other);
    char text[160];
    passes(as, of_filter, filter, text);
    if (*text)
        exray_finding_detail(f, "It passes %s; %.2g of the variance is left.", text, filter->rest);
    else
        exray_finding_detail(f, "Of the variance, %.2g is left.", filter->rest);
    exray_finding_fix(
        f, "Take the filter out (pre-emphasis, an equalizer, a high pass), or have it on both sides.");
    exray_finding_text(f, "kind", "filter");
    exray_finding_text(f, "filtered_side", who);
    exray_finding_number(f, "pre_emphasis", a);
    exray_finding_number(f, "residual_share", filter->rest);
    exray_finding_alternative(f, "input.unknown", 0.1);
    xr_sound_finding_end(r, f);
}

void xr_report_sound_tone(const xr_sound_report *r, const xr_sound_tone *tone)
{
    const double rate = xr_sound_model_rate(&r->sides), as = rate > 0 ? rate : 16000,
                 hertz = tone->turns * as;
    const int wrong = xr_wrong_sound_side(&r->sides);
    const bool mains = fabs(hertz - 50) < 0.5 || fabs(hertz - 60) < 0.5;
    exray_finding *f = xr_sound_finding(r, "input.unknown", 0.9);
    exray_finding_summary(
        f, "The two sides' samples differ by a tone of %.4g Hz%s that %s%s%s has: %.1f dB below them%s.",
        hertz, tone->multiples > 1 ? " and its multiples" : "", wrong >= 0 ? "the " : "only one of them",
        wrong >= 0 ? xr_sound_side_name[wrong] : "", wrong >= 0 ? " alone" : "",
        -10 * log10(fmax(tone->level, 1e-12)), rate > 0 ? "" : " (if the model takes 16000 Hz)");
    exray_finding_fix(
        f, "%s",
        mains ? "Shield the microphone's line from the mains, or give both sides the same recording."
              : "Look for what hums or whistles beside one side's microphone, or in its converter, and "
                "give both sides the same recording.");
    exray_finding_text(f, "kind", "tone");
    exray_finding_number(f, "hertz", hertz);
    exray_finding_number(f, "multiples", (double)tone->multiples);
    exray_finding_number(f, "level_db", 10 * log10(fmax(tone->level, 1e-12)));
    exray_finding_number(f, "residual_share", tone->rest);
    xr_sound_finding_end(r, f);
}

bool xr_report_careless_resampler(const xr_sound_report *r)
{
    const exray_resampler *careless = r->sides.careless;
    if (!careless[0] == !careless[1])
        return false;
    const int who = careless[0] ? 0 : 1;
    const bool hold = careless[who] == EXRAY_RESAMPLER_HOLD;
    const double rate = r->sides.rate ? r->sides.rate : XR_RATE_OF_SPEECH, to = r->sides.careless_rate[who];
    exray_finding *f = xr_sound_finding(r, "input.sample_rate", 0.95);
    exray_finding_summary(f, "The %s's sound is that of the log, from %g to %g Hz %s, without a low pass.",
                          xr_sound_side_name[who], rate, to,
                          hold ? "by the sample before (or one of several)" : "by lines between samples");
    exray_finding_detail(f, "What the sound has %s %g Hz comes back %s it, as tones that nobody made.",
                         to < rate ? "above" : "below", fmin(rate, to) / 2, to < rate ? "below" : "above");
    char key[32];
    snprintf(key, sizeof key, "rate: %g", to);
    exray_finding_fix(f, "Resample with a low pass (%sa windowed sinc).",
                      xr_pipeline_key(r->frames->comparison, "%s", key).text);
    exray_finding_text(f, "kind", hold ? "hold" : "linear");
    exray_finding_number(f, "rate_before", rate);
    exray_finding_number(f, "rate_expected", to);
    xr_sound_finding_end(r, f);
    return true;
}

void xr_report_sound_alone(const xr_sound_report *r, const xr_sound_alone *a)
{
    const exray_accuracy *accuracy = exray_comparison_accuracy(r->frames->comparison);
    const bool decided = accuracy->frames > 0 && accuracy->agreement < 1 && !r->frames->io->faint;
    exray_finding *f = xr_sound_finding(r, "input.sample_rate", 0.95);
    f->severity = decided ? EXRAY_SEVERITY_ERROR : EXRAY_SEVERITY_WARNING;
    exray_finding_summary(
        f,
        "The %s resamples each window by itself, as if silence were around it; the %s hears "
        "what is around it. They differ at the windows' ends alone.",
        xr_sound_side_name[a->side], xr_sound_side_name[1 - a->side]);
    exray_finding_detail(f, "%.3g %% of the difference lies within %zu samples (%.3g ms) of the ends.",
                         100 * a->within, a->reach, 1000 * (double)a->reach / a->rate);
    exray_finding_fix(f,
                      "%s the stream before it is cut into windows, with a resampler that keeps its state.",
                      decided ? "Resample" : "Nothing, unless decisions differ: then resample");
    exray_finding_text(f, "kind", "window_ends");
    exray_finding_text(f, "alone_side", xr_sound_side_name[a->side]);
    exray_finding_number(f, "reach_samples", (double)a->reach);
    exray_finding_number(f, "share_at_the_ends", a->within);
    xr_sound_finding_end(r, f);
}

void xr_report_sound_resamplers(const xr_sound_report *r, const xr_sound_resamplers *s)
{
    const exray_accuracy *accuracy = exray_comparison_accuracy(r->frames->comparison);
    const bool decided = accuracy->frames > 0 && accuracy->agreement < 1;
    const double rate = xr_sound_model_rate(&r->sides), as = rate > 0 ? rate : 16000;
    exray_finding *f = xr_sound_finding(r, "input.sample_rate", 0.85);
    f->severity = decided ? EXRAY_SEVERITY_ERROR : EXRAY_SEVERITY_WARNING;
    exray_finding_summary(
        f,
        "The two sides' sound is the same up to %.0f Hz%s and ends differently below %.0f Hz, as two usual "
        "resamplers make it: the %s has less there.",
        s->same_up_to * as / 2, rate > 0 ? "" : " (if the model takes 16000 Hz)", s->end * as / 2,
        xr_sound_side_name[s->poorer]);
    exray_finding_detail(f,
                         "Up to two thirds of the band their gain differs by %.2g dB at most; %.2g %% of the "
                         "difference is there.",
                         20 * log10(1 + s->worst_gain), 100 * s->share_below);
    if (s->half_at > 0)
        exray_finding_detail(f, "The %s has half of the other's power at %.0f Hz.",
                             xr_sound_side_name[s->poorer], s->half_at * as / 2);
    exray_finding_fix(
        f, "%s",
        decided ? "Resample by the same filter on both sides: decisions depend on the end of the band."
                : "Nothing, unless decisions differ: then resample by the same filter on both sides.");
    exray_finding_text(f, "kind", "resampler");
    exray_finding_number(f, "same_up_to_hz", s->same_up_to * as / 2);
    if (s->half_at > 0)
        exray_finding_number(f, "half_power_hz", s->half_at * as / 2);
    exray_finding_number(f, "band_end_hz", s->end * as / 2);
    exray_finding_number(f, "residual_share", s->share);
    xr_sound_finding_end(r, f);
}
