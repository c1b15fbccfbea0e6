#include "report/html/signals/wave_chart.h"

#include "report/html/drawing/html_image.h"
#include "report/html/drawing/spectrum.h"
#include "report/html/drawing/svg.h"

#include <math.h>
#include <stdlib.h>

enum {
    ENVELOPE = 400,   /* columns of a waveform */
    LINE_MOST = 1600, /* values that are joined one by one */
    SPECTRUM_COLUMNS = 256,
    SPECTRUM_LEAST = 4096, /* values that a spectrogram needs */
};
#define SPECTRUM_RANGE 80 /* dB below the loudest that are shown */

/* ---- Waveforms ------------------------------------------------------------------------------- */

/* Few values are joined by a line; of many, each column spans from its smallest to its largest. */
static void put_line(const xr_chart *c, const xr_axis *axis, const xr_signal *s)
{
    xr_coordinate_text x, y;
    bool drawn = false;
    for (size_t i = 0; i < s->count; i++) {
        if (isfinite(s->values[i]))
            fprintf(c->out, "%c%s %s", drawn ? 'L' : 'M',
                    xr_coordinate(x, xr_column_at(c, (size_t)s->count, i)),
                    xr_coordinate(y, xr_axis_at(axis, (double)s->values[i])));
        drawn = isfinite(s->values[i]);
    }
}

static void put_envelope(const xr_chart *c, const xr_axis *axis, const xr_signal *s)
{
    xr_coordinate_text x, y0, y1;
    for (size_t k = 0; k < ENVELOPE; k++) {
        double low = INFINITY, high = -INFINITY;
        for (uint64_t i = s->count * k / ENVELOPE; i < s->count * (k + 1) / ENVELOPE; i++)
            if (isfinite(s->values[i])) {
                low = fmin(low, (double)s->values[i]);
                high = fmax(high, (double)s->values[i]);
            }
        if (low > high)
            continue;
        fprintf(c->out, "M%s %sV%s", xr_coordinate(x, xr_column_at(c, ENVELOPE, k)),
                xr_coordinate(y0, xr_axis_at(axis, low) + 0.5),
                xr_coordinate(y1, xr_axis_at(axis, high) - 0.5));
    }
}

static void put_time_axis(const xr_chart *c, const xr_signal *s, const char *up)
{
    double most = s->rate > 0 ? (double)s->count / s->rate : (double)s->count;
    xr_axis across = {XR_LINEAR, 0, most, c->left, c->right, 1, false};
    xr_svg_across_axis(c, &across);
    xr_svg_axis_titles(c, up, s->rate > 0 ? "time, s" : "place of the value");
}

void xr_put_wave(xr_page *p, const xr_sound_owner *who, const xr_signal *s, double low, double high,
                 size_t number)
{
    xr_chart c = xr_svg_half_chart(p->out);
    xr_axis axis = {XR_LINEAR, low, high, c.bottom, c.top, 1, false};
    char id[40], title[64], description[96];
    snprintf(id, sizeof id, "wave-%s-%zu", who->id, number);
    snprintf(title, sizeof title, "Values of %s", who->words);
    snprintf(description, sizeof description, "%llu values in order", (unsigned long long)s->count);
    fputs("<figure class=\"plot\">", p->out);
    xr_svg_begin(&c, id, title, description);
    xr_svg_value_axis(&c, &axis, "");
    put_time_axis(&c, s, "value");
    fputs("<path class=\"wave\" d=\"", p->out);
    s->count > LINE_MOST ? put_envelope(&c, &axis, s) : put_line(&c, &axis, s);
    fputs("\"/>\n", p->out);
    xr_svg_end(&c);
    xr_put(p->out, "<figcaption>%s</figcaption></figure>\n", who->label);
}

/* ---- Spectrograms -------------------------------------------------------------------------------- */

bool xr_has_spectrum(const xr_signal *s)
{
    return s->count >= SPECTRUM_LEAST;
}

static void put_frequency_axis(const xr_chart *c, const xr_signal *s)
{
    bool known = s->rate > 0, thousands = s->rate > 4000;
    double most = !known ? 0.5 : s->rate / 2 / (thousands ? 1000 : 1);
    xr_axis axis = {XR_LINEAR, 0, most, c->bottom, c->top, 1, false};
    xr_svg_value_axis(c, &axis, "");
    put_time_axis(c, s,
                  !known      ? "frequency, as a share of the sample rate"
                  : thousands ? "frequency, kHz"
                              : "frequency, Hz");
}

void xr_put_spectrum(xr_page *p, const xr_sound_owner *who, const xr_signal *s, size_t number)
{
    xr_raster r = {0};
    xr_chart c = xr_svg_half_chart(p->out);
    char alt[64], id[40];
    if (!xr_raster_make(&r, SPECTRUM_COLUMNS, XR_SPECTRUM_BANDS, 1))
        return;
    xr_spectrogram(s->values, (size_t)s->count, SPECTRUM_COLUMNS, r.v);
    float loudest = -INFINITY;
    for (size_t i = 0; i < r.width * r.height; i++)
        loudest = r.v[i] > loudest ? r.v[i] : loudest;
    xr_shades shades = {(double)loudest - SPECTRUM_RANGE, (double)loudest};
    exray_picture *picture = xr_image_of_raster(&r, &shades);
    snprintf(alt, sizeof alt, "Spectrogram of %s", who->words);
    snprintf(id, sizeof id, "spectrum-%s-%zu", who->id, number);
    fputs("<figure class=\"plot spectrum\"><div class=\"stack\">", p->out);
    if (!picture || !xr_put_image(p->out, picture, XR_IMAGE_QUALITY, ""))
        fputs("<span class=\"absent\">cannot be shown</span>", p->out);
    xr_svg_begin(&c, id, alt, "Frequencies from low, below, to high, over time; louder is lighter");
    put_frequency_axis(&c, s);
    xr_svg_end(&c);
    xr_put(
        p->out,
        "</div><figcaption>Spectrogram<span>white: the loudest, %.0f dB (a power of 1 is 0 dB); black: %d dB "
        "less</span></figcaption></figure>\n",
        (double)loudest, SPECTRUM_RANGE);
    exray_picture_free(picture);
    xr_raster_free(&r);
}
