#include "report/html/frames/html_signals.h"

#include "report/html/drawing/html_image.h"
#include "report/html/drawing/spectrum.h"
#include "report/html/drawing/svg.h"

#include <exray/sound.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    VALUES_MOST = 1 << 24, /* of an input that is drawn */
    TOKENS_MOST = 96,
    ENVELOPE = 400, /* columns of a waveform */
    SPECTRUM_COLUMNS = 256,
    SPECTRUM_LEAST = 4096, /* values that a spectrogram needs */
};
#define SPECTRUM_RANGE 80 /* dB below the loudest that are shown */

typedef struct signal {
    exray_tensor_view view;
    uint64_t count; /* of values: 0 where there are none */
    float *values;  /* a copy */
} signal;

static void read_signal(xr_page *p, exray_side side, size_t frame, size_t pair, signal *s)
{
    const float *values;
    exray_error error;
    *s = (signal){0};
    if (exray_comparison_values(p->comparison, side, frame, EXRAY_KIND_INPUT, pair, p->slot[side], &s->view,
                                &values, &error) != EXRAY_OK ||
        s->view.count == 0 || s->view.count > VALUES_MOST)
        return;
    s->values = malloc((size_t)s->view.count * sizeof *values);
    if (!s->values)
        return;
    s->count = s->view.count;
    memcpy(s->values, values, (size_t)s->count * sizeof *values);
}

static bool is_tokens(const signal *s)
{
    exray_dtype t = s->view.info.dtype;
    return s->count && s->view.info.quantization.count == 0 &&
           (t == EXRAY_DTYPE_INT32 || t == EXRAY_DTYPE_INT64 || t == EXRAY_DTYPE_UINT32 ||
            t == EXRAY_DTYPE_UINT64);
}

/* ---- Tokens -------------------------------------------------------------------------------- */

static void put_tokens(xr_page *p, exray_side side, const signal *s, const signal *other)
{
    uint64_t count = s->count, shown = count < TOKENS_MOST ? count : TOKENS_MOST;
    xr_put(p->out, "<p class=\"tokens\"><b>%s</b> ", xr_side_name(side));
    for (uint64_t i = 0; i < shown; i++) {
        bool differs = other->count && (i >= other->count || s->values[i] != other->values[i]);
        xr_put(p->out, differs ? "<mark>%.0f</mark> " : "%.0f ", (double)s->values[i]);
    }
    if (shown < count)
        xr_put(p->out, "and %llu more", (unsigned long long)(count - shown));
    fputs("</p>\n", p->out);
}

/* ---- Waveforms ------------------------------------------------------------------------------- */

static void extend(const signal *s, double *low, double *high)
{
    for (uint64_t i = 0; i < s->count; i++)
        if (isfinite(s->values[i])) {
            *low = fmin(*low, (double)s->values[i]);
            *high = fmax(*high, (double)s->values[i]);
        }
}

/* Few values are joined by a line; of many, each column spans from its smallest to its largest. */
static void put_line(const xr_chart *c, const xr_axis *axis, const signal *s)
{
    xr_coordinate_text x, y;
    for (size_t i = 0; i < s->count; i++)
        fprintf(c->out, "%c%s %s", i ? 'L' : 'M', xr_coordinate(x, xr_column_at(c, (size_t)s->count, i)),
                xr_coordinate(y, xr_axis_at(axis, (double)s->values[i])));
}

static void put_envelope(const xr_chart *c, const xr_axis *axis, const signal *s)
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

/* Names of the signal: in an id, in a sentence, over the curve. */
typedef struct owner {
    const char *id, *words, *label;
} owner;

static const owner owners[2] = {{"edge", "the edge's input", "edge"},
                                {"reference", "the reference's input", "reference"}};

static void put_wave(xr_page *p, const owner *who, const signal *s, double low, double high, size_t number)
{
    xr_chart c = {p->out, 1040, 120, 72, 8, 1032, 104};
    xr_axis axis = {XR_LINEAR, low, high, c.bottom, c.top, 1, false};
    char id[32], title[64], description[96];
    snprintf(id, sizeof id, "wave-%s-%zu", who->id, number);
    snprintf(title, sizeof title, "Values of %s", who->words);
    snprintf(description, sizeof description, "%llu values in order", (unsigned long long)s->count);
    xr_put(p->out, "<p class=\"label\">%s</p>\n", who->label);
    xr_svg_begin(&c, id, title, description);
    xr_svg_value_axis(&c, &axis, "");
    fputs("<path class=\"wave\" d=\"", p->out);
    s->count > ENVELOPE ? put_envelope(&c, &axis, s) : put_line(&c, &axis, s);
    fputs("\"/>\n", p->out);
    xr_svg_end(&c);
}

static void put_spectrum(xr_page *p, const owner *who, const signal *s)
{
    xr_raster r = {0};
    char alt[64], caption[64];
    if (!xr_raster_make(&r, SPECTRUM_COLUMNS, XR_SPECTRUM_BANDS, 1))
        return;
    xr_spectrogram(s->values, (size_t)s->count, SPECTRUM_COLUMNS, r.v);
    float loudest = -INFINITY;
    for (size_t i = 0; i < r.width * r.height; i++)
        loudest = r.v[i] > loudest ? r.v[i] : loudest;
    xr_shades shades = {(double)loudest - SPECTRUM_RANGE, (double)loudest};
    exray_picture *picture = xr_image_of_raster(&r, &shades);
    snprintf(alt, sizeof alt, "Spectrogram of %s", who->words);
    snprintf(caption, sizeof caption, "Spectrogram, %s", who->id);
    fputs("<figure class=\"spectrum\">", p->out);
    if (!picture || !xr_put_image(p->out, picture, 85, alt))
        fputs("<span class=\"absent\">cannot be shown</span>", p->out);
    xr_put(
        p->out,
        "<figcaption>%s<span>80 dB from black to white; low frequencies below</span></figcaption></figure>\n",
        caption);
    exray_picture_free(picture);
    xr_raster_free(&r);
}

/* ---- One frame ---------------------------------------------------------------------------------- */

/* The recorded sound's first channel; false: it is no sound. */
static bool put_sound(xr_page *p, const exray_tensor_view *view, size_t number)
{
    exray_error error;
    exray_sound *sound = exray_sound_decode(&view->media, view->data, view->size, &error);
    if (!sound)
        return false;
    size_t length = exray_sound_length(sound), channels = exray_sound_channels(sound);
    signal s = {.count = length && length <= VALUES_MOST ? length : 0};
    s.values = s.count ? malloc(length * sizeof *s.values) : NULL;
    for (size_t i = 0; s.values && i < length; i++)
        s.values[i] = exray_sound_samples(sound)[i * channels];
    if (s.values) {
        char label[96];
        double low = INFINITY, high = -INFINITY, rate = exray_sound_rate(sound);
        extend(&s, &low, &high);
        if (rate > 0)
            snprintf(label, sizeof label, "what the sensor heard: %.3g s at %.0f Hz%s", (double)length / rate,
                     rate, channels > 1 ? ", the first channel" : "");
        else
            snprintf(label, sizeof label, "what the sensor heard: %zu samples of %zu channel%s", length,
                     channels, channels > 1 ? "s, the first" : "");
        owner who = {"sensor", "the sensor's sound", label};
        put_wave(p, &who, &s, high > low ? low : -1, high > low ? high : 1, number);
        if (s.count >= SPECTRUM_LEAST) {
            fputs("<div class=\"row\">\n", p->out);
            put_spectrum(p, &who, &s);
            fputs("</div>\n", p->out);
        }
    }
    free(s.values);
    exray_sound_free(sound);
    return true;
}

static bool put_text(xr_page *p, const exray_tensor_view *view)
{
    char text[XR_TEXT_MOST + 8];
    size_t size = view->size < sizeof text - 1 ? view->size : sizeof text - 1;
    memcpy(text, view->data, size);
    text[size] = '\0';
    xr_put(p->out, "<blockquote>%s</blockquote>\n", text);
    return true;
}

/* The captured sound, or the text given to a text model. */
static void put_sensor(xr_page *p, size_t frame, size_t number)
{
    const exray_log *log = exray_comparison_log(p->comparison, EXRAY_SIDE_EDGE);
    size_t position = exray_comparison_frame(p->comparison, frame).frame[EXRAY_SIDE_EDGE];
    const exray_record *record = exray_log_records(log, position);
    size_t count = exray_log_frame(log, position)->record_count;
    exray_slot *slot = exray_slot_new();
    for (size_t i = 0; slot && i < count; i++) {
        exray_tensor_view view;
        exray_error error;
        if (record[i].message != EXRAY_MESSAGE_TENSOR || record[i].kind != EXRAY_KIND_SENSOR ||
            !record[i].has_data || exray_log_read_tensor(log, &record[i], slot, &view, &error) != EXRAY_OK ||
            !view.has_media || !view.media.format)
            continue;
        bool text = strcmp(view.media.format, "utf8") == 0;
        if (text ? put_text(p, &view) : put_sound(p, &view, number))
            break;
    }
    exray_slot_free(slot);
}

void xr_html_signal(xr_page *p, size_t pair, size_t frame, size_t number)
{
    signal s[2];
    double low = INFINITY, high = -INFINITY;
    for (int side = 0; side < 2; side++) {
        read_signal(p, (exray_side)side, frame, pair, &s[side]);
        extend(&s[side], &low, &high);
    }
    put_sensor(p, frame, number);
    if (!s[0].count && !s[1].count)
        fputs("<p class=\"none\">This frame's inputs were not recorded.</p>\n", p->out);
    if (!(high > low)) {
        high = isfinite(low) ? low + 1 : 1;
        low = isfinite(low) ? low - 1 : -1;
    }
    for (int side = 0; side < 2; side++) {
        if (s[side].count == 0)
            continue;
        if (is_tokens(&s[side]))
            put_tokens(p, (exray_side)side, &s[side], &s[1 - side]);
        else
            put_wave(p, &owners[side], &s[side], low, high, number);
    }
    bool spectra = false;
    for (int side = 0; side < 2; side++)
        if (s[side].count >= SPECTRUM_LEAST && !is_tokens(&s[side])) {
            if (!spectra)
                fputs("<div class=\"row\">\n", p->out);
            spectra = true;
            put_spectrum(p, &owners[side], &s[side]);
        }
    if (spectra)
        fputs("</div>\n", p->out);
    free(s[0].values);
    free(s[1].values);
}
