#include "checks/input/sound/sound_relation.h"

#include "checks/ascending.h"
#include "checks/input/sound/sound_math.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PROBES = 2, PROBE_LENGTH = 8192, LONGEST = 1 << 18, MOST_EVALUATED = 48 };

/* A relation is worth a closer look from this share of a probe's energy on. */
#define WORTH_A_LOOK 0.4
/* It explains a frame where it leaves no more of the variance than this, and contradicts one above that. */
#define EXPLAINS    0.1
#define CONTRADICTS 0.5
/* What resamplers make differently. */
#define RESAMPLED 0.02
/* A frame has nothing to go by where its energy is this part of the loudest one's. */
#define QUIET 1e-6
/* The least correlation of two channels that hear one scene. */
#define LEAST_ALIKE 0.3
/* Another shift explains as much. */
#define AS_MUCH 0.98

xr_sound_relation xr_no_sound_relation(void)
{
    return (xr_sound_relation){.channel = -1, .ratio = 1, .rest = 1};
}

/* ---- Bringing two sides together ------------------------------------------------------------------- */

/* One channel, or the mean of all (channel < 0), of blocks: of each channel as many samples, before those of
 * the next.  How many there are. */
static size_t take_blocks(float *v, size_t n, unsigned channels, size_t block, int channel)
{
    size_t whole = n / (block * channels), count = 0;
    for (size_t w = 0; w < whole; w++)
        for (size_t i = 0; i < block; i++, count++) {
            const float *at = v + w * block * channels + i;
            double sum = 0;
            for (unsigned c = 0; c < channels; c++)
                sum += at[c * block];
            v[count] = channel < 0 ? (float)(sum / channels) : at[(unsigned)channel * block];
        }
    return count;
}

static bool needs_steps(xr_sound_reading reading)
{
    return reading != XR_SAMPLES_AS_IS && reading != XR_SAMPLES_BITS && reading != XR_SAMPLES_REVERSED;
}

/* How many of a frame's samples, from the end that is read first, `most` turned ones are made of. */
static size_t samples_for(const xr_sound_frame *f, const xr_sound_relation *r, size_t most)
{
    const size_t channels = r->channels ? r->channels : 1, block = r->block ? r->block : 1;
    const double read =
        (fmax(1, r->ratio) * (double)most + 64) * (double)channels + (double)(block * channels);
    return 2 * read < (double)f->count ? (size_t)(2 * read) : f->count; /* two may be read as one */
}

/* The turned side's samples as the other side would have them: up to twice as many; NULL: it cannot be.
 * kinds: of both sides' samples; NULL: not known yet. */
static float *turn(const xr_sound_frame *f, const xr_sound_relation *r, const xr_sample_kind *kinds,
                   size_t most, size_t *count)
{
    const size_t taken = samples_for(f, r, most), room = 2 * taken + 16;
    const float *v = f->side[r->turned];
    const bool reversed = r->reading == XR_SAMPLES_REVERSED;
    xr_sample_kind kind = {0};
    if (needs_steps(r->reading))
        kind = kinds ? kinds[r->turned] : xr_sample_kind_of(v, f->count);
    float *out = malloc(room * sizeof *out);
    size_t n =
        out ? xr_read_samples(r->reading, reversed ? v + f->count - taken : v, taken, &kind, out, room) : 0;
    if (n && r->channels)
        n = take_blocks(out, n, r->channels, r->block ? r->block : 1, r->channel);
    if (n && r->ratio != 1) {
        size_t needed = (size_t)((double)most * r->ratio) + 64;
        float *stretched = malloc(room * sizeof *stretched);
        n = stretched ? xr_change_rate(out, n < needed ? n : needed, 1 / r->ratio, stretched, room) : 0;
        free(out);
        out = stretched;
    }
    if (n && r->fraction > 0) {
        float *moved = malloc(n * sizeof *moved);
        n = moved && xr_shift_by_fraction(out, n, r->fraction, moved) ? n : 0;
        free(out);
        out = moved;
    }
    *count = n < most ? n : most;
    if (n)
        return out;
    free(out);
    return NULL;
}

/* Leaves out what a change of rate makes of what it does not hear: the sound before a frame and behind it,
 * which the other side's may have heard.  That of a long frame counts for little. */
static void leave_ends(xr_sound_segment *s)
{
    enum { REACH = 40 };
    if (s->count < 4 * REACH || s->count > 64 * REACH)
        return;
    s->count -= 2 * REACH;
    s->first += REACH;
    memmove(s->x, s->x + REACH, s->count * sizeof *s->x);
    memmove(s->y, s->y + REACH, s->count * sizeof *s->y);
}

/* Brings one frame together at the relation's shift; false: too little is left, or no memory. */
static bool bring_together(const xr_sound_frame *f, size_t at, const xr_sound_relation *r,
                           xr_sound_segment *out)
{
    size_t n = 0;
    long count = (long)f->count, shift = r->shift;
    float *y = turn(f, r, NULL, 2 * f->count, &n);
    *out = (xr_sound_segment){.frame = at};
    long first = shift < 0 ? -shift : 0, end = (long)n < count - shift ? (long)n : count - shift;
    if (!y || end - first < 32) {
        free(y);
        return false;
    }
    out->count = (size_t)(end - first);
    out->first = (size_t)(first + shift);
    out->x = malloc(out->count * sizeof *out->x);
    out->y = y;
    if (!out->x) {
        free(y);
        return false;
    }
    memmove(y, y + first, out->count * sizeof *y);
    const float *x = f->side[1 - r->turned] + first + shift;
    /* What the change of rate took from one side is taken from the other. */
    if (r->ratio == 1 || !xr_low_pass(x, out->count, XR_KEPT_BAND * fmin(1, r->ratio), out->x))
        memcpy(out->x, x, out->count * sizeof *out->x);
    if (r->ratio != 1)
        leave_ends(out);
    return true;
}

xr_sound_segment *xr_sound_segments(const xr_sound_frames *frames, const xr_sound_relation *relation,
                                    size_t *count)
{
    xr_sound_segment *list = calloc(frames->differing + 1, sizeof *list);
    *count = 0;
    for (size_t i = 0; list && i < frames->count; i++) {
        const xr_sound_frame *f = &frames->list[i];
        if (!f->equal && !f->silent && *count < frames->differing &&
            bring_together(f, i, relation, &list[*count]))
            ++*count;
    }
    return list;
}

void xr_free_segments(xr_sound_segment *segments, size_t count)
{
    for (size_t i = 0; segments && i < count; i++) {
        free(segments[i].x);
        free(segments[i].y);
    }
    free(segments);
}

/* ---- Judging one relation ------------------------------------------------------------------------------ */

typedef struct sound_search {
    const xr_sound_frames *frames;
    const xr_sound_frame *probe[PROBES];
    xr_sample_kind kind[PROBES][2]; /* of a probe's sides */
    bool kinds_known;
    size_t probes;
    double loudest;
    xr_sound_relation best;
} sound_search;

/* Where a short window of a recording is cut at one rate, its first sample lies between two of the other's,
 * in each frame at another place: the fit at the best one. */
static double rest_at_best_place(const xr_sound_frame *f, size_t at, const xr_sound_relation *r, double rest)
{
    enum { SHORT = 4096, FINER = 4 };
    xr_sound_relation moved = *r, best = *r;
    if (r->ratio == 1 || f->count > SHORT || rest <= XR_SOUND_NOISE)
        return rest;
    double step = 0.5;
    int each = 2; /* steps on either side */
    for (int finer = 0; finer < FINER; finer++, step /= 2, each = 1) {
        const double centre = (double)best.shift + best.fraction - (double)r->shift;
        for (int k = -each; k <= each; k++) {
            const double d = centre + k * step;
            xr_sound_segment g;
            if (k == 0) /* known: `rest` */
                continue;
            moved.shift = r->shift + (long)floor(d);
            moved.fraction = d - floor(d);
            if (!bring_together(f, at, &moved, &g))
                continue;
            const double left = xr_fit_line(g.y, g.x, g.count).rest;
            free(g.x);
            free(g.y);
            if (left < rest) {
                rest = left;
                best = moved;
            }
        }
    }
    return rest;
}

/* Fits every frame (or as many as time allows) at the relation's shift. */
static void evaluate(const sound_search *s, xr_sound_relation *r)
{
    double rests[MOST_EVALUATED];
    size_t count = 0;
    r->supporting = r->contradicting = 0;
    for (size_t i = 0; i < s->frames->count && count < MOST_EVALUATED; i++) {
        const xr_sound_frame *f = &s->frames->list[i];
        xr_sound_segment g;
        if (f->equal || f->silent || f->energy[1] < QUIET * s->loudest || !bring_together(f, i, r, &g))
            continue;
        xr_line line = xr_fit_line(g.y, g.x, g.count);
        /* Else what is heard lies elsewhere in the frame. */
        if (!(line.deviation * line.deviation < 1e-3 * f->energy[1 - r->turned])) {
            const double rest = rest_at_best_place(f, i, r, line.rest);
            rests[count++] = rest;
            r->supporting += rest <= EXPLAINS;
            r->contradicting += rest > CONTRADICTS;
        }
        free(g.x);
        free(g.y);
    }
    qsort(rests, count, sizeof *rests, xr_ascending_doubles);
    r->rest = count ? rests[count / 2] : 1;
    if (count && r->contradicting)
        r->rest = fmax(r->rest, rests[count - 1]);
}

/* Finds the shift on the probes; the share of their energy that it explains. */
static double find_shift(const sound_search *s, xr_sound_relation *r, size_t length)
{
    double best = 0;
    for (size_t p = 0; p < s->probes; p++) {
        const xr_sound_frame *f = s->probe[p];
        if (!f)
            break;
        size_t n = 0, most = f->count < length ? f->count : length;
        float *y = turn(f, r, s->kinds_known ? s->kind[p] : NULL, most, &n);
        xr_lag lag;
        if (y && n >= 64 && xr_find_lag(y, n, f->side[1 - r->turned], most, most, &lag) && lag.share > best) {
            best = lag.share;
            r->shift = lag.shift;
            r->rival_shift = lag.rival >= AS_MUCH * lag.share ? lag.rival_shift : 0;
            r->rival_sign = lag.opposite >= AS_MUCH * lag.share;
            if (r->rival_shift && labs(lag.rival_shift) < labs(lag.shift)) {
                r->shift = lag.rival_shift;
                r->rival_shift = lag.shift;
            }
        }
        free(y);
        if (best > 0.9)
            break;
    }
    return best;
}

static bool good_enough(const xr_sound_relation *r)
{
    return r->supporting && !r->contradicting && r->rest <= (r->ratio == 1 ? XR_SOUND_NOISE : RESAMPLED);
}

/* Looks for the shift of a relation and keeps it where it is better than what was found; whether it suffices.
 */
static bool attempt(sound_search *s, xr_sound_relation r, size_t length)
{
    if (find_shift(s, &r, length) < WORTH_A_LOOK)
        return false;
    evaluate(s, &r);
    /* A more complex one has to explain clearly more. */
    if (r.supporting && r.rest < s->best.rest / 3 && r.contradicting <= s->best.contradicting)
        s->best = r;
    return good_enough(&s->best);
}

/* ---- The list of relations ----------------------------------------------------------------------------- */

static void know_kinds(sound_search *s)
{
    for (size_t p = 0; p < s->probes && s->probe[p] && !s->kinds_known; p++)
        for (int side = 0; side < 2; side++)
            s->kind[p][side] = xr_sample_kind_of(s->probe[p]->side[side], s->probe[p]->count);
    s->kinds_known = true;
}

static bool try_readings(sound_search *s, double ratio, unsigned channels)
{
    know_kinds(s);
    for (int reading = 1; reading < XR_SAMPLES_READINGS; reading++)
        for (int side = 0; side < 2; side++) {
            xr_sound_relation r = xr_no_sound_relation();
            r.reading = (xr_sound_reading)reading;
            r.turned = side;
            r.ratio = ratio;
            r.channels = channels;
            if (attempt(s, r, PROBE_LENGTH))
                return true;
        }
    return false;
}

static bool try_channels(sound_search *s, double ratio)
{
    static const unsigned counts[] = {2, 4, 6, 8, 3};
    uint32_t known = s->frames->sensor_channels;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (int side = 0; side < 2 && (!known || known == counts[i]); side++)
            for (int channel = -1; channel < 2; channel++) {
                xr_sound_relation r = xr_no_sound_relation();
                r.turned = side;
                r.channels = counts[i];
                r.channel = channel;
                r.ratio = ratio;
                if (attempt(s, r, PROBE_LENGTH))
                    return true;
            }
    return false;
}

/* Whether blocks that lie beside each other sound alike, as two channels of one scene do. */
static bool blocks_are_alike(const sound_search *s, int side, size_t block)
{
    double ab = 0, aa = 0, bb = 0;
    for (size_t p = 0; p < s->probes; p++) {
        const float *v = s->probe[p]->side[side];
        for (size_t at = 0; at + 2 * block <= s->probe[p]->count; at += 2 * block)
            for (size_t i = at; i < at + block; i++) {
                ab += (double)v[i] * v[i + block];
                aa += (double)v[i] * v[i];
                bb += (double)v[i + block] * v[i + block];
            }
    }
    return ab > LEAST_ALIKE * sqrt(aa * bb);
}

/* Two channels in blocks, of usual sizes or of half of the frame.  That the blocks of one are the other
 * side's samples proves little where they may be its own (the first half of a frame): those between must be
 * of a second channel. */
static bool try_blocks(sound_search *s)
{
    static const size_t sizes[] = {128, 160, 256, 320, 480, 512, 1024, 0};
    uint32_t known = s->frames->sensor_channels;
    size_t length = s->probes ? s->probe[0]->count : 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int side = 0; side < 2 && (!known || known == 2); side++)
            for (int channel = -1; channel < 1; channel++) {
                xr_sound_relation r = xr_no_sound_relation();
                r.turned = side;
                r.channels = 2;
                r.channel = channel;
                r.block = sizes[i] ? sizes[i] : length / 2;
                bool possible = r.block >= 32 && 2 * r.block <= length &&
                                (channel < 0 || blocks_are_alike(s, side, r.block));
                if (possible && attempt(s, r, PROBE_LENGTH))
                    return true;
            }
    return false;
}

/* The ratios of usual rates, each once, those nearer to 1 first; how many. */
static size_t list_ratios(double out[128])
{
    size_t count = 0;
    for (size_t a = 0; xr_usual_rates[a] > 0; a++)
        for (size_t b = 0; xr_usual_rates[b] > 0; b++) {
            double ratio = xr_usual_rates[a] / xr_usual_rates[b];
            bool known = a == b || ratio > 8 || ratio < 0.125;
            for (size_t i = 0; i < count && !known; i++)
                known = fabs(out[i] - ratio) < 1e-6;
            if (!known && count < 128)
                out[count++] = ratio;
        }
    return count;
}

static bool try_ratios(sound_search *s, const double *ratios, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        xr_sound_relation r = xr_no_sound_relation();
        r.ratio = ratios[i];
        if (attempt(s, r, PROBE_LENGTH))
            return true;
    }
    return false;
}

/* Two times as many samples may be those of two channels: then the filter of a resampler takes their mean,
 * but not to the last bit. */
static void try_channels_of_ratio(sound_search *s)
{
    double ratio = s->best.ratio, whole = ratio < 1 ? 1 / ratio : ratio;
    uint32_t known = s->frames->sensor_channels;
    if (fabs(whole - round(whole)) > 1e-6 || (known && known != (uint32_t)round(whole)))
        return;
    sound_search other = *s;
    for (int channel = -1; channel < 2; channel++) {
        xr_sound_relation r = xr_no_sound_relation();
        r.turned = ratio > 1 ? EXRAY_SIDE_EDGE : EXRAY_SIDE_REFERENCE;
        r.channels = (unsigned)round(whole);
        r.channel = channel;
        other.best = s->best;
        bool exact = attempt(&other, r, PROBE_LENGTH) && other.best.rest < s->best.rest / 10;
        /* One sample of several is one of a sound of that rate, too. */
        if (exact && other.best.channels && (channel < 0 || known)) {
            s->best = other.best;
            return;
        }
    }
}

/* The mean of neighbors is a sound of fewer samples, nearly: what was taken for channels at some rate may be
 * one channel at another, which then leaves less. */
static void try_ratio_of_channels(sound_search *s)
{
    for (int by = 0; by < 2; by++) {
        sound_search other = *s;
        xr_sound_relation r = xr_no_sound_relation();
        r.ratio = by ? s->best.ratio * s->best.channels : s->best.ratio / s->best.channels;
        other.best = xr_no_sound_relation();
        if (attempt(&other, r, PROBE_LENGTH) && other.best.rest < s->best.rest) {
            s->best = other.best;
            return;
        }
    }
}

/* The channels of the sound in the log, at any rate. */
static bool try_known_channels(sound_search *s, const double *ratios, size_t count)
{
    if (s->frames->sensor_channels < 2)
        return false;
    if (try_channels(s, 1) || try_blocks(s))
        return true;
    for (size_t i = 0; i < count; i++) {
        xr_sound_relation r = xr_no_sound_relation();
        r.channels = s->frames->sensor_channels;
        r.ratio = ratios[i];
        if (r.channels <= 64 && fabs(r.ratio * r.channels - 1) > 1e-6 && attempt(s, r, PROBE_LENGTH)) {
            try_ratio_of_channels(s);
            return true;
        }
    }
    return false;
}

/* Two of them at once. */
static bool try_composed(sound_search *s)
{
    static const double common[] = {44100.0 / 16000, 3, 0.5, 22050.0 / 16000, 1.5, 2, 1.0 / 3};
    s->probes = 1;
    if (try_readings(s, 1, 2))
        return true;
    for (size_t i = 0; i < sizeof common / sizeof *common; i++) {
        xr_sound_relation r = xr_no_sound_relation();
        r.ratio = common[i];
        r.channels = 2;
        /* Halves of twice as many are what they were. */
        bool halves = fabs(r.ratio * r.channels - 1) < 1e-6;
        if ((!halves && attempt(s, r, PROBE_LENGTH)) || try_readings(s, common[i], 0))
            return true;
    }
    return false;
}

/* ---- The search ------------------------------------------------------------------------------------------
 */

/* The loudest frames that differ, by the beginning that probes are cut to. */
static void choose_probes(sound_search *s)
{
    double loud[PROBES] = {0};
    for (size_t i = 0; i < s->frames->count; i++) {
        const xr_sound_frame *f = &s->frames->list[i];
        s->loudest = fmax(s->loudest, f->energy[1]);
        if (f->equal || f->silent)
            continue;
        size_t n = f->count < PROBE_LENGTH ? f->count : PROBE_LENGTH;
        double energy = 0;
        for (size_t k = 0; k < n; k++)
            energy += (f->side[1][k] - f->mean[1]) * (f->side[1][k] - f->mean[1]);
        for (size_t p = 0; p < PROBES; p++)
            if (energy > loud[p]) {
                memmove(loud + p + 1, loud + p, (PROBES - 1 - p) * sizeof *loud);
                memmove(s->probe + p + 1, s->probe + p, (PROBES - 1 - p) * sizeof(s->probe[0]));
                loud[p] = energy;
                s->probe[p] = f;
                s->probes += s->probes < PROBES;
                break;
            }
    }
}

/* Where one shift does not hold in all frames: each frame's own. */
static void try_own_shifts(sound_search *s)
{
    xr_sound_relation r = xr_no_sound_relation();
    size_t count = 0;
    double worst = 0;
    for (size_t i = 0; i < s->frames->count && count < MOST_EVALUATED; i++) {
        sound_search one = {.frames = s->frames, .probe = {&s->frames->list[i]}, .probes = 1};
        xr_sound_relation own = xr_no_sound_relation();
        xr_sound_segment g;
        if (one.probe[0]->equal || one.probe[0]->silent || one.probe[0]->energy[1] < QUIET * s->loudest)
            continue;
        find_shift(&one, &own, LONGEST);
        if (!bring_together(one.probe[0], i, &own, &g))
            return;
        worst = fmax(worst, xr_fit_line(g.y, g.x, g.count).rest);
        free(g.x);
        free(g.y);
        if (worst > EXPLAINS)
            return;
        r.least_shift = count == 0 || own.shift < r.least_shift ? own.shift : r.least_shift;
        r.most_shift = count == 0 || own.shift > r.most_shift ? own.shift : r.most_shift;
        count++;
    }
    if (count > 1 && worst < s->best.rest / 3 && r.least_shift != r.most_shift) {
        r.rest = worst;
        r.supporting = count;
        r.varies = true;
        s->best = r;
    }
}

/* By how many samples the edge's are those of a later moment of the reference, from a sample on: near the
 * shift that is given.  false: they are not. */
static bool local_shift(const xr_sound_frame *f, size_t from, size_t length, long *shift)
{
    enum { REACH = 48 };
    xr_lag lag;
    long begin = (long)from + *shift - REACH, room = (long)length + 2 * REACH;
    if (begin < 0)
        room += begin, begin = 0;
    if (begin + room > (long)f->count)
        room = (long)f->count - begin;
    if (room < (long)length / 2 ||
        !xr_find_lag(f->side[0] + from, length, f->side[1] + begin, (size_t)room, (size_t)room, &lag) ||
        lag.share < 0.5)
        return false;
    long found = lag.shift + begin - (long)from;
    if (labs(found - *shift) > REACH)
        return false;
    *shift = found;
    return true;
}

/* What a relation leaves of one frame. */
static double rest_together(const xr_sound_frame *f, const xr_sound_relation *r)
{
    xr_sound_segment g;
    if (!bring_together(f, 0, r, &g))
        return 1;
    const double rest = xr_fit_line(g.y, g.x, g.count).rest;
    free(g.x);
    free(g.y);
    return rest;
}

static double rest_at_ratio(const xr_sound_frame *f, double ratio)
{
    xr_sound_relation r = xr_no_sound_relation();
    r.ratio = ratio;
    return rest_together(f, &r);
}

/* The slope of the shifts of pieces of a frame, in samples a sample; false: they are on no line. */
static bool shift_slope(const xr_sound_frame *f, size_t piece, double *slope)
{
    enum { MOST = 64, MOST_TRIED = 256 };
    double at[MOST], shift[MOST], n = 0, x = 0, y = 0, xx = 0, xy = 0;
    const size_t end = MOST_TRIED * piece / 2 < f->count ? MOST_TRIED * piece / 2 : f->count;
    size_t used = 0, apart = 0;
    long found = 0;
    for (size_t i = 0; i + piece <= end && used < MOST; i += piece / 2) {
        if (!local_shift(f, i, piece, &found))
            continue;
        at[used] = (double)i, shift[used] = (double)found;
        n++, x += at[used], y += shift[used], xx += at[used] * at[used], xy += at[used] * shift[used];
        used++;
    }
    double spread = n > 0 ? xx - x * x / n : 0;
    if (used < 4 || !(spread > 0))
        return false;
    *slope = (xy - x * y / n) / spread;
    for (size_t i = 0; i < used; i++)
        apart += fabs(shift[i] - y / n - *slope * (at[i] - x / n)) > 2;
    return 4 * apart <= used && fabs(*slope) <= XR_MOST_DRIFT;
}

/* Looks around a drift in smaller and smaller steps, by a frame's beginning; what the best one leaves. */
static double finer_drift(const xr_sound_frame *f, size_t count, double step, int turns, double *drift)
{
    xr_sound_frame beginning = *f;
    double least = INFINITY;
    beginning.count = count;
    for (int turn = 0; turn < turns; turn++, step /= 3) {
        const double around = *drift;
        for (int i = -3; i <= 3; i++) {
            if (i == 0 && turn > 0)
                continue; /* known from the turn before */
            const double now = rest_at_ratio(&beginning, 1 / (1 + around + i * step));
            if (now < least)
                least = now, *drift = around + i * step;
        }
    }
    return least;
}

/* Clocks that differ: what is a little later at a frame's beginning is so by more, or less, at its end. */
static bool try_drift(sound_search *s)
{
    enum { BEGINNING = 1 << 17 };
    const xr_sound_frame *f = s->probes ? s->probe[0] : NULL;
    double drift;
    /* In a long piece clocks that are far apart drift by more than a sound's period. */
    if (!f || f->count < 4096 || (!shift_slope(f, 1024, &drift) && !shift_slope(f, 256, &drift)))
        return false;
    /* Lags are of whole samples: finer by what is left, of a long frame's beginning first. */
    const size_t beginning = f->count < BEGINNING ? f->count : BEGINNING;
    const double step = 4 / (double)beginning;
    if (finer_drift(f, beginning, step, 5, &drift) > CONTRADICTS)
        return false;
    if (beginning < f->count)
        finer_drift(f, f->count, step / 27, 2, &drift);
    xr_sound_relation r = xr_no_sound_relation();
    r.ratio = 1 / (1 + drift);
    evaluate(s, &r);
    if (drift == 0 || !r.supporting || r.contradicting || r.rest > RESAMPLED || r.rest > s->best.rest / 3)
        return false;
    s->best = r;
    return true;
}

/* What a relation leaves of a frame's beginning. */
static double rest_of_beginning(const xr_sound_frame *f, const xr_sound_relation *r)
{
    enum { BEGINNING = 1 << 15 };
    const size_t most = BEGINNING + (size_t)labs(r->shift);
    xr_sound_frame beginning = *f;
    beginning.count = f->count < most ? f->count : most;
    return rest_together(&beginning, r);
}

/* A shift by a fraction of a sample, on top of one by whole samples: which, a probe tells; whether, all
 * frames.
 */
static void refine_shift(sound_search *s)
{
    xr_sound_relation best = s->best;
    double least = 1;
    if (!s->probes || best.ratio != 1 || best.reading != XR_SAMPLES_AS_IS || best.channels ||
        best.rest <= XR_SOUND_NOISE || best.rest > CONTRADICTS)
        return;
    for (int side = 0; side < 2; side++)
        for (int i = 1; i < 8; i++) {
            xr_sound_relation r = s->best;
            /* y[i + fraction] is x[i + shift]: y's own fraction goes with one sample less on the other side.
             */
            r.shift = s->best.shift + side;
            r.fraction = i / 8.0;
            const double rest = rest_of_beginning(s->probe[0], &r);
            if (rest < least)
                least = rest, best = r;
        }
    evaluate(s, &best);
    if (best.rest < s->best.rest / 3)
        s->best = best;
}

/* What a shift by whole samples leaves, by a fraction of one, or by one that grows: of two clocks only where
 * that is much better, as the middle of what grows is a shift, too.  false: neither is it. */
static bool refine(sound_search *s)
{
    const xr_sound_relation whole = s->best;
    refine_shift(s);
    const xr_sound_relation shifted = s->best;
    if (shifted.rest <= XR_SOUND_NOISE)
        return true;
    s->best = whole;
    const bool drifts = try_drift(s);
    const bool moved = shifted.fraction > 0 && !shifted.contradicting && shifted.rest <= RESAMPLED;
    if (moved && (!drifts || s->best.rest > shifted.rest / 3))
        s->best = shifted;
    return drifts || moved;
}

static void search_all(sound_search *s)
{
    double ratios[128];
    size_t count = list_ratios(ratios);
    xr_sound_relation plain = xr_no_sound_relation();
    evaluate(s, &plain);
    s->best = plain;
    if (good_enough(&plain))
        return;
    plain.rest = 1;
    if (attempt(s, xr_no_sound_relation(), LONGEST))
        return;
    if (s->best.rest <= EXPLAINS && !s->best.contradicting) {
        refine(s);
        return; /* the same samples, and something more */
    }
    if (refine(s))
        return;
    if (try_readings(s, 1, 0) || try_known_channels(s, ratios, count))
        return;
    if (try_ratios(s, ratios, count)) {
        try_channels_of_ratio(s);
        return;
    }
    /* Known channels have been tried. */
    bool found = s->frames->sensor_channels < 2 && (try_channels(s, 1) || try_blocks(s));
    if (!found && s->best.rest > EXPLAINS)
        try_own_shifts(s);
}

bool xr_find_sound_relation(const xr_sound_frames *frames, xr_sound_relation *found)
{
    sound_search s = {.frames = frames};
    choose_probes(&s);
    s.best = xr_no_sound_relation();
    if (s.probes)
        search_all(&s);
    *found = s.best;
    return s.best.supporting && s.best.rest <= EXPLAINS;
}

bool xr_find_sound_lag(const xr_sound_frames *frames, xr_sound_relation *found)
{
    sound_search s = {.frames = frames, .best = xr_no_sound_relation()};
    choose_probes(&s);
    *found = s.best;
    if (!s.probes || find_shift(&s, found, LONGEST) < WORTH_A_LOOK)
        return false;
    evaluate(&s, found);
    return true;
}

bool xr_find_composed_sound_relation(const xr_sound_frames *frames, xr_sound_relation *found)
{
    sound_search s = {.frames = frames, .best = xr_no_sound_relation()};
    choose_probes(&s);
    if (s.probes)
        try_composed(&s);
    *found = s.best;
    return s.best.supporting && s.best.rest <= EXPLAINS;
}
