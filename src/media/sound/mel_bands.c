/* Options and triangles.  Formulas: librosa 0.11, filters.mel; TensorFlow 2.20,
 * signal.linear_to_mel_weight_matrix. */
#include "media/sound/mel_bands.h"

#include "base/error.h"
#include "core/sized.h"

#include <math.h>
#include <stdlib.h>

enum { N_FFT_MOST = 1 << 15, N_MELS_MOST = 1024 };

static const char *problem_of(const exray_mel *o)
{
    if (o->n_fft > N_FFT_MOST || o->n_fft < 2)
        return "n_fft is 2 to 32768";
    if (o->win_length > o->n_fft)
        return "win_length is at most n_fft";
    if (o->hop_length == 0)
        return "hop_length is at least 1";
    if (o->n_mels > N_MELS_MOST)
        return "n_mels is at most 1024";
    if (!(o->fmin >= 0 && o->fmax > o->fmin) || o->fmax > (float)o->rate / 2 + 0.5f)
        return "0 <= fmin < fmax <= half the rate";
    if (o->window > EXRAY_MEL_HAMMING_SYMMETRIC || o->center > EXRAY_MEL_CENTER_REFLECT ||
        o->pad > EXRAY_MEL_PAD_END || o->scale > EXRAY_MEL_SLANEY || o->triangles > EXRAY_MEL_OF_MEL ||
        o->log > EXRAY_MEL_DB)
        return "an enumerator is not of its type";
    if (!(o->top_db >= 0) || !isfinite(o->top_db))
        return "top_db is 0 or more";
    if (o->remove_dc_offset > 1 || !(o->pre_emphasis >= 0 && o->pre_emphasis <= 1))
        return "remove_dc_offset is 0 or 1, pre_emphasis 0 to 1";
    if (!(o->floor >= 0) || !isfinite(o->floor))
        return "floor is 0 or more";
    if (o->power > 2 || o->slaney_norm > 1 || !isfinite(o->offset))
        return "power is 1 or 2, slaney_norm 0 or 1, offset finite";
    return NULL;
}

bool xr_mel_options(exray_mel *options, const exray_mel *how, exray_error *error)
{
    const char *problem = xr_sized_read(options, sizeof *options, how);
    exray_mel *o = options;
    if (!problem) {
        o->rate = o->rate ? o->rate : 16000;
        o->n_fft = o->n_fft ? o->n_fft : 512;
        o->win_length = o->win_length ? o->win_length : o->n_fft;
        o->hop_length = o->hop_length ? o->hop_length : o->win_length / 4;
        o->n_mels = o->n_mels ? o->n_mels : 40;
        o->fmax = o->fmax == 0 ? (float)o->rate / 2 : o->fmax;
        o->power = o->power ? o->power : 2;
        if (o->pad == EXRAY_MEL_PAD_DEFAULT)
            o->pad = o->center ? EXRAY_MEL_PAD_MIDDLE : EXRAY_MEL_PAD_END;
        problem = problem_of(o);
    }
    if (problem)
        xr_error_set(error, EXRAY_E_ARGUMENT, "a mel spectrogram: %s", problem);
    return !problem;
}

/* ---- Scales ----------------------------------------------------------------------------------------- */

static const double straight = 200.0 / 3, bend = 1000,
                    steep = 27; /* of Slaney's: Hz per mel, Hz, mel per e-fold */

static double to_mel(exray_mel_scale scale, double hertz)
{
    if (scale == EXRAY_MEL_HTK)
        return 2595 * log10(1 + hertz / 700);
    return hertz < bend ? hertz / straight : bend / straight + log(hertz / bend) * steep / log(6.4);
}

static double to_hertz(exray_mel_scale scale, double mel)
{
    if (scale == EXRAY_MEL_HTK)
        return 700 * (pow(10, mel / 2595) - 1);
    return mel < bend / straight ? mel * straight : bend * exp((mel - bend / straight) * log(6.4) / steep);
}

/* ---- Triangles -------------------------------------------------------------------------------------- */

/* Of a triangle: its two ends and its middle, in the unit of its straight sides. */
typedef struct triangle {
    double low, middle, high, height;
} triangle;

static triangle triangle_of(const exray_mel *o, uint32_t band)
{
    const double low = to_mel(o->scale, (double)o->fmin), high = to_mel(o->scale, (double)o->fmax);
    double at[3], hertz[3];
    for (uint32_t i = 0; i < 3; i++) {
        double mel = low + (high - low) * (band + i) / (o->n_mels + 1);
        hertz[i] = to_hertz(o->scale, mel);
        at[i] = o->triangles == EXRAY_MEL_OF_MEL ? mel : hertz[i];
    }
    return (triangle){at[0], at[1], at[2], o->slaney_norm ? 2 / (hertz[2] - hertz[0]) : 1};
}

static double weight_of(const exray_mel *o, const triangle *t, uint32_t bin)
{
    double hertz = (double)bin * o->rate / o->n_fft;
    double at = o->triangles == EXRAY_MEL_OF_MEL ? to_mel(o->scale, hertz) : hertz;
    double rise = (at - t->low) / (t->middle - t->low), fall = (t->high - at) / (t->high - t->middle);
    return t->height * fmax(0, fmin(rise, fall));
}

/* The first bin above a frequency, or one before it: rounding may not lose any. */
static uint32_t bin_before(const exray_mel *o, double hertz)
{
    double bin = floor(hertz * o->n_fft / o->rate) - 1;
    return bin < 0 ? 0 : bin > o->n_fft / 2 ? o->n_fft / 2 : (uint32_t)bin;
}

xr_mel_band *xr_mel_bands(const exray_mel *o)
{
    const uint32_t bins = o->n_fft / 2 + 1;
    const double low = to_mel(o->scale, (double)o->fmin), high = to_mel(o->scale, (double)o->fmax);
    /* Two triangles overlap in each bin; a band looks at 4 bins more. */
    const size_t room = (size_t)bins * 2 + (size_t)o->n_mels * 8;
    xr_mel_band *bands = malloc(o->n_mels * sizeof *bands + room * sizeof(double));
    if (!bands)
        return NULL;
    double *weights = (double *)(void *)(bands + o->n_mels), *end = weights + room;
    for (uint32_t b = 0; b < o->n_mels; b++) {
        const triangle t = triangle_of(o, b);
        const double step = (high - low) / (o->n_mels + 1);
        uint32_t first = bin_before(o, to_hertz(o->scale, low + step * b)),
                 last = bin_before(o, to_hertz(o->scale, low + step * (b + 2))) + 3;
        last = last < bins ? last : bins - 1;
        while (first < last && weight_of(o, &t, first) == 0)
            first++;
        while (last > first && weight_of(o, &t, last) == 0)
            last--;
        bands[b] = (xr_mel_band){first, last - first + 1, weights};
        for (uint32_t k = first; k <= last && weights < end; k++)
            *weights++ = weight_of(o, &t, k);
    }
    return bands;
}
