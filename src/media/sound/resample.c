/* Another rate: a low pass that leaves room above the band, in powers of two, then samples at the times of
 * the new rate. */
#include <exray/sound.h>

#include "base/error.h"
#include "core/sized.h"
#include "media/sound/band_limit.h"
#include "media/sound/between.h"
#include "media/sound/kaiser.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The rate between the two halves is at least so many times the lower one: the nearer, the longer the second
 * filter, the farther, the more samples. */
static const double room_above = 2;

enum { FILTER_MOST = 1 << 17, RATIO_MOST = 256 };

static const double pi = 3.14159265358979323846;

static exray_status read_options(const exray_resampling *how, exray_resampling *options, exray_error *error)
{
    *options = (exray_resampling)EXRAY_RESAMPLING_INIT;
    const char *problem = how ? xr_sized_read(options, sizeof *options, how) : NULL;
    if (problem)
        return xr_error_set(error, EXRAY_E_ARGUMENT, "exray_resampling: %s", problem);
    if (options->passband == 0)
        options->passband = 0.91374f;
    if (options->stopband == 0)
        options->stopband = 1;
    if (options->attenuation == 0)
        options->attenuation = 127;
    if (!(options->kind <= EXRAY_RESAMPLER_HOLD && options->passband > 0 && options->stopband <= 1.5f &&
          options->stopband - options->passband >= 0.005f && options->attenuation >= 20 &&
          options->attenuation <= 160))
        return xr_error_set(
            error, EXRAY_E_ARGUMENT,
            "a resampler of kind %d with passband %g, stopband %g, attenuation %g dB; the bands "
            "are shares in ascending order up to 1.5, 0.005 apart, the attenuation 20 to 160 dB",
            (int)options->kind, (double)options->passband, (double)options->stopband,
            (double)options->attenuation);
    return EXRAY_OK;
}

size_t exray_resampling_length(size_t length, uint32_t from, uint32_t to)
{
    if (from == 0 || to == 0 || length > SIZE_MAX / 4 / to)
        return 0;
    return (size_t)(((uint64_t)length * to + from / 2) / from);
}

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* What lies between two rates. */
typedef struct way {
    int octaves;  /* of the low pass */
    size_t apart; /* every such sample is one of the result; 0: none is, they lie between */
} way;

static way way_between(uint32_t from, uint32_t to, double low)
{
    for (int n = -8; n <= 1; n++) { /* the fewest samples */
        uint64_t made = n < 0 ? from : (uint64_t)from << n, wanted = n < 0 ? (uint64_t)to << -n : to;
        if (made % wanted == 0 && made / wanted < 8)
            return (way){n, (size_t)(made / wanted)};
    }
    int octaves = 1;
    while (octaves > -8 && ldexp(from, octaves - 1) >= room_above * low)
        octaves--;
    return (way){octaves, 0};
}

static exray_status run_sinc(const exray_resampling *o, const float *samples, size_t length, uint32_t from,
                             uint32_t to, float *out, size_t count, exray_error *error)
{
    const double low = from < to ? from : to;
    const way w = way_between(from, to, low * fmax(1, (double)o->stopband));
    const uint32_t divisor = common_divisor(from, to);
    const double half_rate = ldexp(from, w.octaves);
    const double width = (double)(o->stopband - o->passband) * pi * low / (from > to ? from : to);
    if (xr_kaiser_length((double)o->attenuation, width) > FILTER_MOST)
        return xr_error_set(error, EXRAY_E_LIMIT, "such a resampler from %u to %u Hz takes more than %d taps",
                            from, to, FILTER_MOST);
    xr_between between = {.pass = o->passband * low / half_rate,
                          .band = o->stopband * low / half_rate,
                          .attenuation = (double)o->attenuation + 8.5,
                          .step = from / divisor,
                          .rate = to / divisor};
    *(w.octaves > 0 ? &between.step : &between.rate) <<= w.octaves > 0 ? w.octaves : -w.octaves;
    between.flat = between.rate <= 8; /* few filters: they may be long */
    /* A time of the output may lie a sample behind the last one, by rounding. */
    const size_t behind = 2 + (size_t)ldexp(2, w.octaves);
    const xr_band_limit limit = {.pass = o->passband * low / from,
                                 .stop = o->stopband * low / from,
                                 .attenuation = (double)o->attenuation,
                                 .octaves = w.octaves,
                                 .margin = behind + (w.apart ? 0 : xr_between_half(&between))};
    const size_t made = xr_band_limit_length(&limit, length);
    float *limited = malloc((made + 1) * sizeof *limited);
    bool ok = limited && xr_band_limit_run(&limit, samples, length, limited);
    const float *first = ok ? limited + xr_band_limit_before(&limit) : NULL;
    for (size_t i = 0; ok && w.apart && i < count; i++)
        out[i] = first[i * w.apart];
    if (ok && !w.apart)
        ok = xr_between_run(&between, first, out, count);
    free(limited);
    return ok ? EXRAY_OK
              : xr_error_set(error, EXRAY_E_MEMORY, "out of memory while resampling %zu samples", length);
}

/* Without a low pass. */
static void run_simple(bool linear, const float *samples, size_t length, uint32_t from, uint32_t to,
                       float *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t time = (uint64_t)i * from;
        size_t at = (size_t)(time / to);
        float fraction = (float)((double)(time % to) / to);
        float a = at < length ? samples[at] : 0, b = at + 1 < length ? samples[at + 1] : a;
        out[i] = linear ? a + (b - a) * fraction : a;
    }
}

exray_status exray_resampling_run(const exray_resampling *how, const float *samples, size_t length,
                                  uint32_t from, uint32_t to, float *out, exray_error *error)
{
    exray_resampling options;
    exray_status status = read_options(how, &options, error);
    if (status)
        return status;
    if (from == 0 || to == 0 || (length && (!samples || !out)))
        return xr_error_set(error, EXRAY_E_ARGUMENT, "a rate is 0, or there are no samples");
    if ((uint64_t)from > (uint64_t)to * RATIO_MOST || (uint64_t)to > (uint64_t)from * RATIO_MOST)
        return xr_error_set(error, EXRAY_E_LIMIT, "cannot resample from %u to %u Hz: more than %d times",
                            from, to, RATIO_MOST);
    const size_t count = exray_resampling_length(length, from, to);
    if (length && !count && (uint64_t)length * to >= from)
        return xr_error_set(error, EXRAY_E_LIMIT, "too many samples to resample: %zu", length);
    if (from == to && length)
        memcpy(out, samples, length * sizeof *out);
    else if (options.kind != EXRAY_RESAMPLER_SINC)
        run_simple(options.kind == EXRAY_RESAMPLER_LINEAR, samples, length, from, to, out, count);
    else if (count)
        return run_sinc(&options, samples, length, from, to, out, count, error);
    return EXRAY_OK;
}
