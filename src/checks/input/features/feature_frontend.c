#include "checks/input/features/feature_frontend.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The variance that options leave if they make a side's features: rounding, and tables of others. */
#define MADE 0.01
/* Resamplers leave so many times as much. */
#define RESAMPLED 5
/* What leaves less needs no better options. */
#define ENOUGH 1e-4
/* An option that is changed back has to leave so much more. */
#define NEEDED 1.5

/* Samples of a millisecond. */
enum { RATE_MS = XR_FEATURE_RATE / 1000 };

/* What the front end is tried with: places in the lists below. */
enum {
    BY_WINDOW,
    BY_STEP,
    BY_PCAN,
    BY_LOG,
    BY_LOW,
    BY_HIGH,
    BY_STRENGTH,
    BY_MINIMUM,
    BY_EVEN,
    BY_ODD,
    OPTIONS
};

typedef struct integer_option_list {
    const char *key;
    size_t count;
    double value[8];
} integer_option_list;

static const integer_option_list lists[OPTIONS] = {
    [BY_WINDOW] = {"window_size", 4, {30, 25, 20, 32}},
    [BY_STEP] = {"window_step (hop)", 4, {20, 10, 20, 30}},
    [BY_PCAN] = {"enable_pcan", 2, {1, 0}},
    [BY_LOG] = {"enable_log", 2, {1, 0}},
    [BY_LOW] = {"lower_band_limit", 6, {125, 20, 60, 80, 100, 300}},
    [BY_HIGH] = {"upper_band_limit", 6, {7500, 7000, 4000, 3800, 3400, 6000}},
    [BY_STRENGTH] = {"pcan_strength", 4, {0.95, 0.5, 0.8, 0.98}},
    [BY_MINIMUM] = {"min_signal_remaining", 5, {0.05, 1, 0.1, 0.02, 0.5}},
    [BY_EVEN] = {"even_smoothing", 5, {0.025, 0.1, 0.05, 0.01, 0.06}},
    [BY_ODD] = {"odd_smoothing", 5, {0.06, 0.2, 0.1, 0.025, 0.03}},
};

/* Every stride-th row of that step is taken: a stream of rows 10 ms apart, of which some are left out. */
static const uint32_t steps[][2] = {{10, 2}, {10, 1}, {20, 1}, {10, 3}};

typedef struct integer_front_end {
    const xr_feature_frames *f;
    const xr_feature_sounds *h;
    int side;
    size_t rows; /* the first, that are looked at */
    size_t at[OPTIONS];
    double gain, offset; /* of the reference's features over what is computed; gain 0: not known, any */
} integer_front_end;

static double value(const integer_front_end *e, int option)
{
    return lists[option].value[e->at[option]];
}

static exray_microfrontend_options options_of(const integer_front_end *e)
{
    exray_microfrontend_options how = EXRAY_MICROFRONTEND_OPTIONS_TFLM;
    how.window_size = (uint32_t)value(e, BY_WINDOW);
    how.window_step = steps[e->at[BY_STEP]][0];
    how.num_channels = (uint32_t)e->f->bins;
    how.enable_pcan = (uint32_t)value(e, BY_PCAN);
    how.disable_log = value(e, BY_LOG) == 0;
    how.lower_band_limit = (float)value(e, BY_LOW);
    how.upper_band_limit = (float)value(e, BY_HIGH);
    how.pcan_strength = (float)value(e, BY_STRENGTH);
    how.min_signal_remaining = (float)value(e, BY_MINIMUM);
    how.even_smoothing = (float)value(e, BY_EVEN);
    how.odd_smoothing = (float)value(e, BY_ODD);
    return how;
}

/* ---- One front end --------------------------------------------------------------------------------- */

static int16_t *whole_samples(const float *v, size_t length)
{
    int16_t *out = malloc((length + 1) * sizeof *out);
    for (size_t k = 0; out && k < length; k++)
        out[k] = (int16_t)fmax(-32768, fmin(32767, round(v[k] * 32768.0)));
    return out;
}

/* Adds one sound's rows to the line; false: it cannot be computed. */
static bool add_sound(const integer_front_end *e, const float *v, size_t length, size_t at, size_t from,
                      xr_feature_line *line)
{
    const exray_microfrontend_options how = options_of(e);
    const xr_feature_frames *f = e->f;
    const float *features = f->list[e->h->frame[at]].side[e->side];
    const size_t stride = steps[e->at[BY_STEP]][1], a_row = (size_t)how.window_step * RATE_MS;
    /* What is behind the last row is not computed: no row hears what comes later. */
    const size_t heard = e->rows * stride * a_row + (size_t)how.window_size * RATE_MS;
    length = heard < length ? heard : length;
    const size_t rows = exray_microfrontend_rows(&how, length);
    int16_t *samples = whole_samples(v, length);
    uint16_t *made = samples && rows ? malloc(rows * f->bins * sizeof *made) : NULL;
    exray_error error;
    bool known = made && exray_microfrontend_run(&how, samples, length, made, &error) == EXRAY_OK;
    for (size_t r = 0; known && r < e->rows && r * stride < rows; r++)
        for (size_t b = 0; b < f->bins && r * stride * a_row >= from; b++)
            if (!xr_is_greatest(f, features[r * f->bins + b]))
                xr_feature_line_add(line, features[r * f->bins + b], made[r * stride * f->bins + b]);
    free(samples);
    free(made);
    return known;
}

static bool add_sounds(const integer_front_end *e, float *const *samples, const size_t *length, size_t sounds,
                       size_t from, xr_feature_line *line)
{
    *line = (xr_feature_line){0};
    for (size_t i = 0; i < sounds; i++)
        if (!add_sound(e, samples[i], length[i], i, from, line))
            return false;
    return true;
}

/* The variance of a side's features that the front end leaves. */
static double rest_of(const void *integer_front_end_, float *const *samples, const size_t *length,
                      size_t sounds, size_t from)
{
    const integer_front_end *e = integer_front_end_;
    xr_feature_line line;
    if (!add_sounds(e, samples, length, sounds, from, &line))
        return 1;
    return e->gain > 0 ? xr_feature_line_rest_by(&line, e->gain, e->offset) : xr_feature_line_rest(&line);
}

static double rest_by(const integer_front_end *e)
{
    return rest_of(e, e->h->made, e->h->made_length, e->h->count, 0);
}

/* ---- The search --------------------------------------------------------------------------------------- */

static double attempt(integer_front_end *best, double least, int option, size_t place)
{
    integer_front_end e = *best;
    e.at[option] = place;
    double now = rest_by(&e);
    if (!(now < 0.95 * least))
        return least;
    *best = e;
    return now;
}

/* Changes one option after the other, as long as that leaves less of the rows that a search looks at; what is
 * left of all. */
static double descend(integer_front_end *best)
{
    enum { TURNS = 4 };
    best->rows = xr_rows_to_search(best->f, best->h, best->side);
    double least = rest_by(best), before = INFINITY;
    for (int turn = 0; turn < TURNS && least > ENOUGH && least < 0.95 * before; turn++) {
        before = least;
        for (int option = 0; option < OPTIONS; option++)
            for (size_t i = 0; i < lists[option].count && least > ENOUGH; i++)
                least = attempt(best, least, option, i);
    }
    best->rows = best->f->rows;
    return rest_by(best);
}

/* By the first sound alone: which options are the best so far. */
static double rest_of_first(const integer_front_end *e)
{
    return rest_of(e, e->h->made, e->h->made_length, 1, 0);
}

/* The best window, step and PCAN together, then the others. */
static double find_reference(integer_front_end *best)
{
    best->rows = xr_rows_to_search(best->f, best->h, best->side);
    double least = rest_of_first(best);
    for (size_t w = 0; w < lists[BY_WINDOW].count && least > ENOUGH; w++)
        for (size_t s = 0; s < lists[BY_STEP].count; s++)
            for (size_t pcan = 0; pcan < 2; pcan++) {
                integer_front_end e = *best;
                e.at[BY_WINDOW] = w, e.at[BY_STEP] = s, e.at[BY_PCAN] = pcan;
                double now = rest_of_first(&e);
                if (now < 0.95 * least)
                    least = now, *best = e;
            }
    best->rows = best->f->rows;
    least = rest_by(best);
    return least > 0.3 ? least : descend(best);
}

/* ---- Words ------------------------------------------------------------------------------------------------
 */

static void option_word(const integer_front_end *e, int option, char *text, size_t size)
{
    bool flag = option == BY_PCAN || option == BY_LOG;
    if (flag)
        snprintf(text, size, "%s", value(e, option) > 0 ? "true" : "false");
    else
        snprintf(text, size, "%g", value(e, option));
}

/* The options that differ and have to; `edge` gets the others back. */
static void write_differences(const integer_front_end *reference, integer_front_end *edge, double rest,
                              char *text, size_t size)
{
    size_t used = 0;
    text[0] = 0;
    for (int option = 0; option < OPTIONS; option++) {
        integer_front_end back = *edge;
        char words[2][32];
        back.at[option] = reference->at[option];
        if (value(&back, option) == value(edge, option))
            continue;
        if (rest_by(&back) <= NEEDED * rest + 1e-5) {
            *edge = back;
            continue;
        }
        option_word(edge, option, words[0], sizeof words[0]);
        option_word(reference, option, words[1], sizeof words[1]);
        int n = snprintf(text + used, size - used, "%s%s: %s for %s%s", used ? ", " : "", lists[option].key,
                         words[0], words[1], option == BY_WINDOW || option == BY_STEP ? " ms" : "");
        used = n > 0 && used + (size_t)n < size ? used + (size_t)n : size - 1;
    }
}

static void write_options(const integer_front_end *e, char *text, size_t size)
{
    size_t used =
        (size_t)snprintf(text, size, "microfrontend {window_size: %g, window_step: %g, num_channels: %zu",
                         value(e, BY_WINDOW), value(e, BY_STEP), e->f->bins);
    for (int option = BY_PCAN; option < OPTIONS && used < size; option++) {
        char word[32];
        if (option != BY_PCAN && e->at[option] == 0)
            continue;
        option_word(e, option, word, sizeof word);
        int n = snprintf(text + used, size - used, ", %s: %s", lists[option].key, word);
        used += n > 0 ? (size_t)n : 0;
    }
    if (used < size)
        snprintf(text + used, size - used, "}");
}

/* ---- Both sides ------------------------------------------------------------------------------------------
 */

static bool explain(const xr_feature_frames *f, const xr_feature_sounds *h, xr_feature_rendering *out)
{
    integer_front_end reference = {.f = f, .h = h, .side = EXRAY_SIDE_REFERENCE, .rows = f->rows}, edge;
    double allowed = fmax(MADE, 3 * f->allowed), other;
    out->rest[EXRAY_SIDE_REFERENCE] = find_reference(&reference);
    /* The options that make the edge's features of the record as it is are certain: only resamplers differ.
     */
    if (out->rest[EXRAY_SIDE_REFERENCE] > (h->rate == XR_FEATURE_RATE ? allowed : RESAMPLED * allowed))
        return false;
    edge = reference;
    edge.side = EXRAY_SIDE_EDGE;
    out->rest_swapped = rest_by(&edge);
    /* Another sound goes through the same front end: what it computes is stored as the reference's is. */
    xr_feature_line line;
    if (add_sounds(&reference, h->made, h->made_length, h->count, 0, &line))
        xr_feature_line_fit(&line, &edge.gain, &edge.offset);
    double enough = fmax(ENOUGH, 3 * out->rest[EXRAY_SIDE_REFERENCE]);
    out->heard = xr_find_heard(h, rest_of, &edge, &edge, enough);
    bool exact = out->heard.kind == XR_HEARD_RAW && out->heard.rest <= allowed / 10;
    if (out->rest[EXRAY_SIDE_REFERENCE] > allowed && !exact)
        return false;
    write_options(&reference, out->options[EXRAY_SIDE_REFERENCE], sizeof out->options[0]);
    edge.gain = 0;
    other = out->heard.rest > enough ? descend(&edge) : 1;
    if (other < out->heard.rest / 1.5) {
        out->heard = (xr_heard){XR_HEARD_AS_IS, 1, other};
        write_differences(&reference, &edge, other, out->differences, sizeof out->differences);
    }
    double rest = out->rest[EXRAY_SIDE_EDGE] = out->heard.rest;
    out->rate = h->rate;
    return rest <= allowed && rest < out->rest_swapped / 3 &&
           (out->heard.kind != XR_HEARD_AS_IS || *out->differences);
}

bool xr_render_frontend(const xr_feature_frames *frames, xr_feature_rendering *out)
{
    xr_feature_sounds h;
    *out = (xr_feature_rendering){.rest = {1, 1}};
    bool made = xr_feature_sounds_read(frames, &h) && explain(frames, &h, out);
    xr_feature_sounds_free(&h);
    return made;
}

bool xr_frontend_noise(const xr_feature_frames *frames, xr_feature_noise *out)
{
    xr_feature_sounds h;
    integer_front_end reference = {.f = frames, .h = &h, .side = EXRAY_SIDE_REFERENCE, .rows = frames->rows};
    xr_feature_line line;
    bool known = xr_feature_sounds_read(frames, &h) &&
                 find_reference(&reference) <= RESAMPLED * fmax(MADE, 3 * frames->allowed) &&
                 add_sounds(&reference, h.made, h.made_length, h.count, 0, &line);
    if (known) {
        xr_feature_line_fit(&line, &reference.gain, &reference.offset);
        integer_front_end edge = reference;
        edge.side = EXRAY_SIDE_EDGE;
        *out = xr_find_feature_noise(&h, xr_feature_difference_of(frames), rest_of, &reference, &edge);
    }
    xr_feature_sounds_free(&h);
    return known;
}
