#include "checks/input/features/feature_rendering.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Options make a side's features if they leave no more of the variance: rounding and tables of others. */
#define MADE 0.01
/* What leaves less needs no better options. */
#define ENOUGH 1e-3
/* An option that is changed back has to leave so much more. */
#define NEEDED 2.0

enum { RATE = XR_FEATURE_RATE, FRAMES = XR_FEATURE_SOUNDS };

/* What a front end is tried with: places in the lists below. */
enum {
    BY_HOP,
    BY_WINDOW_LENGTH,
    BY_FFT,
    BY_WINDOW,
    BY_CENTER,
    BY_LOW,
    BY_HIGH,
    BY_SCALE,
    BY_TRIANGLES,
    BY_NORM,
    BY_POWER,
    BY_LOG,
    BY_OFFSET,
    BY_TOP,
    BY_MEAN,
    BY_EMPHASIS,
    BY_FLOOR,
    OPTIONS
};

typedef struct option_list {
    const char *key;
    size_t count; /* that are tried of any front end; of Kaldi's kind `all` */
    size_t all;
    double value[10];
    const char *word[10]; /* NULL: the number itself */
} option_list;

static const option_list lists[OPTIONS] = {
    [BY_HOP] = {"hop_length", 7, 7, {160, 320, 256, 240, 512, 128, 200}, {NULL}},
    [BY_WINDOW_LENGTH] = {"win_length", 6, 6, {400, 480, 512, 640, 1024, 320}, {NULL}},
    [BY_FFT] = {"n_fft", 6, 6, {512, 400, 1024, 480, 640, 2048}, {NULL}},
    [BY_WINDOW] = {"window",
                   5,
                   7,
                   {0, 1, 2, 3, 4, 5, 6},
                   {"hann", "hann_symmetric", "hamming", "blackman", "rectangular", "povey",
                    "hamming_symmetric"}},
    [BY_CENTER] = {"center", 3, 3, {0, 1, 2}, {"false", "true", "reflect"}},
    [BY_LOW] = {"fmin", 8, 8, {0, 20, 50, 60, 64, 80, 125, 300}, {NULL}},
    [BY_HIGH] = {"fmax", 7, 7, {8000, 7600, 7500, 4000, 3800, 3400, 6000}, {NULL}},
    [BY_SCALE] = {"scale", 2, 2, {0, 1}, {"htk", "slaney"}},
    [BY_TRIANGLES] = {"triangles", 2, 2, {0, 1}, {"hz", "mel"}},
    [BY_NORM] = {"norm", 2, 2, {0, 1}, {"none", "slaney"}},
    [BY_POWER] = {"power", 2, 2, {2, 1}, {NULL}},
    [BY_LOG] = {"log", 2, 2, {0, 1}, {"natural", "none"}},
    [BY_OFFSET] = {"offset", 8, 8, {0, 1e-10, 1e-8, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2}, {NULL}},
    [BY_TOP] = {"top_db", 2, 2, {0, 80}, {NULL}},
    [BY_MEAN] = {"remove_dc_offset", 1, 2, {0, 1}, {"false", "true"}},
    [BY_EMPHASIS] = {"pre_emphasis", 1, 3, {0, 0.97, 0.95}, {NULL}},
    /* Of 16-bit samples, and of samples from -1 to 1: the same floor. */
    [BY_FLOOR] = {"floor", 1, 3, {0, 1.1e-16, 1.19e-7}, {NULL}},
};

typedef struct front_end {
    size_t at[OPTIONS]; /* places in the lists */
    bool kaldi;         /* of its kind: windows are changed before they are shaped */
} front_end;

static size_t tried(const front_end *e, int option)
{
    return e->kaldi ? lists[option].all : lists[option].count;
}

/* ---- One front end --------------------------------------------------------------------------------- */

static double value(const front_end *e, int option)
{
    return lists[option].value[e->at[option]];
}

static exray_mel mel_of(const front_end *e, size_t bins)
{
    exray_mel how = EXRAY_MEL_INIT;
    how.rate = RATE;
    how.n_fft = (uint32_t)value(e, BY_FFT);
    how.win_length = (uint32_t)value(e, BY_WINDOW_LENGTH);
    how.hop_length = (uint32_t)value(e, BY_HOP);
    how.window = (exray_mel_window)value(e, BY_WINDOW);
    how.center = (exray_mel_center)value(e, BY_CENTER);
    how.n_mels = (uint32_t)bins;
    how.fmin = (float)value(e, BY_LOW);
    how.fmax = (float)value(e, BY_HIGH);
    how.scale = (exray_mel_scale)value(e, BY_SCALE);
    how.triangles = (exray_mel_triangles)value(e, BY_TRIANGLES);
    how.slaney_norm = (uint32_t)value(e, BY_NORM);
    how.power = (uint32_t)value(e, BY_POWER);
    how.log = value(e, BY_LOG) == 0 ? EXRAY_MEL_NATURAL : EXRAY_MEL_LINEAR;
    how.offset = (float)value(e, BY_OFFSET);
    how.top_db = (float)value(e, BY_TOP);
    how.remove_dc_offset = (uint32_t)value(e, BY_MEAN);
    how.pre_emphasis = (float)value(e, BY_EMPHASIS);
    how.floor = (float)value(e, BY_FLOOR);
    return how;
}

/* So much of the sound as that many rows are made of. */
static size_t length_for(const exray_mel *how, size_t rows, size_t length)
{
    const size_t seen = rows * how->hop_length + 2 * how->n_fft;
    return seen < length ? seen : length;
}

/* One side's features, and what they are computed again from. */
typedef struct rendered_side {
    const xr_feature_frames *f;
    const xr_feature_sounds *h;
    int side;
    const front_end *front_end;
    size_t rows; /* the first, of which every stride-th is looked at */
    size_t stride;
    double gain, offset; /* of the reference's features over what is computed; gain 0: not known, any */
} rendered_side;

/* Adds the cells of the sounds to the line; false: they cannot be computed. */
static bool add_sounds(const rendered_side *s, float *const *samples, const size_t *length, size_t sounds,
                       size_t from, xr_feature_line *line)
{
    const xr_feature_frames *f = s->f;
    *line = (xr_feature_line){0};
    exray_mel how = mel_of(s->front_end, f->bins);
    if (how.win_length > how.n_fft)
        return false;
    how.hop_length *= (uint32_t)s->stride;
    for (size_t i = 0; i < sounds; i++) {
        const size_t looked_at = (s->rows + s->stride - 1) / s->stride;
        size_t most = length_for(&how, looked_at, length[i]), rows = exray_mel_rows(&how, most);
        size_t first = (from + how.hop_length - 1) / how.hop_length;
        exray_error error;
        float *made = rows ? malloc(rows * f->bins * sizeof *made) : NULL;
        if (!made || exray_mel_run(&how, samples[i], most, made, &error) != EXRAY_OK) {
            free(made);
            return false;
        }
        /* What is made of the silence behind the sound says nothing. */
        const float *features = f->list[s->h->frame[i]].side[s->side];
        for (size_t row = first; row < rows && row < looked_at; row++)
            for (size_t b = 0; b < f->bins; b++) {
                const float stored = features[row * s->stride * f->bins + b];
                if (!xr_is_greatest(f, stored))
                    xr_feature_line_add(line, stored, made[row * f->bins + b]);
            }
        free(made);
    }
    return true;
}

/* The variance of a side's features that a front end leaves. */
static double rest_of(const void *rendered, float *const *samples, const size_t *length, size_t sounds,
                      size_t from)
{
    const rendered_side *s = rendered;
    xr_feature_line line;
    if (!add_sounds(s, samples, length, sounds, from, &line))
        return 1;
    return s->gain > 0 ? xr_feature_line_rest_by(&line, s->gain, s->offset) : xr_feature_line_rest(&line);
}

/* The same of the sound in the log, of all rows of one or more of the frames. */
static double rest_by(const xr_feature_frames *f, const xr_feature_sounds *h, int side, const front_end *e,
                      size_t frames)
{
    const rendered_side s = {.f = f, .h = h, .side = side, .front_end = e, .rows = f->rows, .stride = 1};
    return rest_of(&s, h->made, h->made_length, frames < h->count ? frames : h->count, 0);
}

/* Every so many rows are looked at by what only looks for a place. */
static size_t stride_of(size_t rows)
{
    enum { ENOUGH_ROWS = 32 };
    return rows < ENOUGH_ROWS ? 1 : rows / ENOUGH_ROWS;
}

/* Of some of the first frame's first rows: what a search goes by. */
static double rest_of_some(const xr_feature_frames *f, const xr_feature_sounds *h, int side,
                           const front_end *e, size_t rows)
{
    const rendered_side s = {
        .f = f, .h = h, .side = side, .front_end = e, .rows = rows, .stride = stride_of(rows)};
    return rest_of(&s, h->made, h->made_length, 1, 0);
}

/* ---- The search --------------------------------------------------------------------------------------- */

typedef struct front_search {
    const xr_feature_frames *f;
    const xr_feature_sounds *h;
    int side;
    size_t rows; /* that are looked at */
    front_end best;
    double rest;
} front_search;

/* Takes two options (or one, twice) at these places, if that leaves less. */
static void attempt(front_search *s, int a, size_t i, int b, size_t k)
{
    front_end other = s->best;
    other.at[a] = i, other.at[b] = k;
    /* A window needs as many samples of the transform. */
    while (value(&other, BY_WINDOW_LENGTH) > value(&other, BY_FFT) &&
           other.at[BY_FFT] + 1 < lists[BY_FFT].count)
        other.at[BY_FFT]++;
    double now = rest_of_some(s->f, s->h, s->side, &other, s->rows);
    if (now < 0.98 * s->rest)
        s->rest = now, s->best = other;
}

/* Changes two options at once.  As long as that leaves as much as before, one alone was tried already. */
static void try_both(front_search *s, int a, int b, double before)
{
    for (size_t i = 0; i < tried(&s->best, a); i++)
        for (size_t k = 0; k < tried(&s->best, b); k++)
            if (s->rest < before || (i != s->best.at[a] && k != s->best.at[b]))
                attempt(s, a, i, b, k);
}

/* Changes one option after the other, then two at once, as long as that leaves less, and more than enough. */
static double descend(const xr_feature_frames *f, const xr_feature_sounds *h, int side, double enough,
                      front_end *e)
{
    enum { TURNS = 6 };
    const size_t rows = xr_rows_to_search(f, h, side);
    front_search s = {f, h, side, rows, *e, rest_of_some(f, h, side, e, rows)};
    for (int turn = 0; turn < TURNS && s.rest > enough; turn++) {
        double before = s.rest;
        for (int a = 0; a < OPTIONS; a++)
            for (size_t i = 0; i < tried(&s.best, a); i++)
                attempt(&s, a, i, a, i);
        if (s.rest < before)
            continue;
        for (int a = 0; a < OPTIONS && s.rest > enough; a++)
            for (int b = a + 1; b < OPTIONS; b++)
                try_both(&s, a, b, before);
        if (s.rest == before)
            break;
    }
    *e = s.best;
    return s.rest;
}

/* Front ends that many models have whole, from which a search of one option after the other may not lead to
 * each other: Whisper's, librosa's defaults in decibels and without them, torchaudio's, Kaldi's of 16-bit
 * samples, and of samples from -1 to 1. */
static const front_end usual[] = {
    {.at = {[BY_FFT] = 1, [BY_CENTER] = 2, [BY_SCALE] = 1, [BY_NORM] = 1, [BY_TOP] = 1}},
    {.at = {[BY_HOP] = 4,
            [BY_WINDOW_LENGTH] = 4,
            [BY_FFT] = 2,
            [BY_CENTER] = 1,
            [BY_SCALE] = 1,
            [BY_NORM] = 1,
            [BY_TOP] = 1}},
    {.at = {[BY_CENTER] = 1, [BY_SCALE] = 1, [BY_NORM] = 1, [BY_TOP] = 1}},
    {.at = {[BY_CENTER] = 1, [BY_SCALE] = 1, [BY_NORM] = 1, [BY_OFFSET] = 3}},
    {.at = {[BY_FFT] = 1, [BY_CENTER] = 2, [BY_OFFSET] = 3}},
    {.at = {[BY_WINDOW] = 5,
            [BY_LOW] = 1,
            [BY_TRIANGLES] = 1,
            [BY_MEAN] = 1,
            [BY_EMPHASIS] = 1,
            [BY_FLOOR] = 1},
     .kaldi = true},
    {.at = {[BY_WINDOW] = 5,
            [BY_LOW] = 1,
            [BY_TRIANGLES] = 1,
            [BY_MEAN] = 1,
            [BY_EMPHASIS] = 1,
            [BY_FLOOR] = 2},
     .kaldi = true},
    {.at = {[BY_WINDOW] = 5, [BY_LOW] = 1, [BY_TRIANGLES] = 1, [BY_MEAN] = 1, [BY_FLOOR] = 1}, .kaldi = true},
};

/* The reference's: from the best hops and windows on, or from a usual one. */
static bool find_reference(const xr_feature_frames *f, const xr_feature_sounds *h, front_end *out)
{
    const size_t rows = xr_rows_to_search(f, h, EXRAY_SIDE_REFERENCE);
    front_end start = {.kaldi = false}, best = start;
    double least = 1;
    for (size_t hop = 0; hop < lists[BY_HOP].count; hop++)
        for (size_t length = 0; length < 3; length++) {
            front_end e = start;
            e.at[BY_HOP] = hop, e.at[BY_WINDOW_LENGTH] = length, e.at[BY_LOW] = 5, e.at[BY_OFFSET] = 3;
            double now = rest_of_some(f, h, EXRAY_SIDE_REFERENCE, &e, rows);
            if (now < least)
                least = now, best = e;
        }
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        const double now = rest_of_some(f, h, EXRAY_SIDE_REFERENCE, &usual[i], rows);
        if (now < least)
            least = now, best = usual[i];
    }
    if (least > 0.6)
        return false;
    descend(f, h, EXRAY_SIDE_REFERENCE, ENOUGH, &best);
    *out = best;
    return rest_by(f, h, EXRAY_SIDE_REFERENCE, &best, FRAMES) <= fmax(MADE, 3 * f->allowed);
}

/* ---- Words ------------------------------------------------------------------------------------------------
 */

static void option_word(const front_end *e, int option, char *text, size_t size)
{
    const char *word = lists[option].word[e->at[option]];
    if (word)
        snprintf(text, size, "%s", word);
    else
        snprintf(text, size, "%g", value(e, option));
}

static void write_options(const front_end *e, size_t bins, char *text, size_t size)
{
    int used = snprintf(text, size, "mel {n_mels: %zu", bins);
    for (int option = 0; option < OPTIONS && used > 0 && (size_t)used < size; option++) {
        char word[32];
        if (option >= BY_TOP && e->at[option] == 0)
            continue;
        option_word(e, option, word, sizeof word);
        used += snprintf(text + used, size - (size_t)used, ", %s: %s", lists[option].key, word);
    }
    if (used > 0 && (size_t)used < size)
        snprintf(text + used, size - (size_t)used, "}");
}

/* The options that differ and have to. */
static void write_differences(const xr_feature_frames *f, const xr_feature_sounds *h,
                              const front_end *reference, front_end *edge, double rest, char *text,
                              size_t size)
{
    size_t used = 0;
    text[0] = 0;
    for (int option = 0; option < OPTIONS; option++) {
        front_end back = *edge;
        char words[2][32];
        back.at[option] = reference->at[option];
        if (back.at[option] == edge->at[option])
            continue;
        if (rest_by(f, h, EXRAY_SIDE_EDGE, &back, FRAMES) <= NEEDED * rest + 1e-5) {
            *edge = back;
            continue;
        }
        option_word(edge, option, words[0], sizeof words[0]);
        option_word(reference, option, words[1], sizeof words[1]);
        int n = snprintf(text + used, size - used, "%s%s: %s for %s", used ? ", " : "", lists[option].key,
                         words[0], words[1]);
        used = n > 0 && used + (size_t)n < size ? used + (size_t)n : size - 1;
    }
}

static bool find_edge(const xr_feature_frames *f, const xr_feature_sounds *h, const front_end *reference,
                      xr_feature_rendering *out)
{
    const double allowed = fmax(MADE, 3 * f->allowed);
    double enough, other;
    front_end edge = *reference;
    rendered_side side = {
        .f = f, .h = h, .side = EXRAY_SIDE_REFERENCE, .front_end = reference, .rows = f->rows, .stride = 1};
    xr_feature_line line;
    /* Another sound goes through the same front end: what it computes is stored as the reference's is. */
    if (add_sounds(&side, h->made, h->made_length, h->count, 0, &line))
        xr_feature_line_fit(&line, &side.gain, &side.offset);
    side.side = EXRAY_SIDE_EDGE;
    out->rest_swapped = rest_by(f, h, EXRAY_SIDE_EDGE, reference, FRAMES);
    /* What the reference's options leave may be little: then less is enough. */
    enough = fmax(fmin(1e-4, out->rest_swapped / 10), 3 * out->rest[EXRAY_SIDE_REFERENCE]);
    rendered_side coarse = side;
    coarse.stride = stride_of(f->rows);
    out->heard = xr_find_heard(h, rest_of, &side, &coarse, enough);
    if (out->heard.rest > enough) {
        descend(f, h, EXRAY_SIDE_EDGE, fmin(ENOUGH, enough), &edge);
        other = rest_by(f, h, EXRAY_SIDE_EDGE, &edge, FRAMES);
        if (other < out->heard.rest / 1.5)
            out->heard = (xr_heard){XR_HEARD_AS_IS, 1, other};
        else
            edge = *reference;
    }
    out->rest[EXRAY_SIDE_EDGE] = out->heard.rest;
    if (out->rest[EXRAY_SIDE_EDGE] > allowed || out->rest[EXRAY_SIDE_EDGE] > out->rest_swapped / 3)
        return false;
    if (out->heard.kind == XR_HEARD_AS_IS)
        write_differences(f, h, reference, &edge, out->rest[EXRAY_SIDE_EDGE], out->differences,
                          sizeof out->differences);
    out->rate = h->rate;
    write_options(&edge, f->bins, out->options[EXRAY_SIDE_EDGE], sizeof out->options[0]);
    return out->heard.kind != XR_HEARD_AS_IS || *out->differences;
}

bool xr_render_features(const xr_feature_frames *frames, xr_feature_rendering *out)
{
    xr_feature_sounds h;
    front_end reference;
    *out = (xr_feature_rendering){.rest = {1, 1}};
    bool heard = xr_feature_sounds_read(frames, &h);
    bool made = heard && frames->bins >= 8 && frames->bins <= 256 && find_reference(frames, &h, &reference);
    if (made) {
        out->rest[EXRAY_SIDE_REFERENCE] = rest_by(frames, &h, EXRAY_SIDE_REFERENCE, &reference, FRAMES);
        write_options(&reference, frames->bins, out->options[EXRAY_SIDE_REFERENCE], sizeof out->options[0]);
        made = find_edge(frames, &h, &reference, out);
    }
    xr_feature_sounds_free(&h);
    return made;
}

bool xr_mel_noise(const xr_feature_frames *frames, xr_feature_noise *out)
{
    xr_feature_sounds h;
    front_end reference;
    xr_feature_line line;
    rendered_side side = {.f = frames,
                          .h = &h,
                          .side = EXRAY_SIDE_REFERENCE,
                          .front_end = &reference,
                          .rows = frames->rows,
                          .stride = 1};
    bool known = xr_feature_sounds_read(frames, &h) && frames->bins >= 8 && frames->bins <= 256 &&
                 find_reference(frames, &h, &reference) &&
                 add_sounds(&side, h.made, h.made_length, h.count, 0, &line);
    if (known) {
        xr_feature_line_fit(&line, &side.gain, &side.offset);
        rendered_side edge = side;
        edge.side = EXRAY_SIDE_EDGE;
        *out = xr_find_feature_noise(&h, xr_feature_difference_of(frames), rest_of, &side, &edge);
    }
    xr_feature_sounds_free(&h);
    return known;
}
