#include "report/html/signals/html_signals.h"

#include "checks/op_name.h"
#include "report/html/signals/feature_map.h"
#include "report/html/signals/sound_player.h"
#include "report/html/signals/sound_undone.h"
#include "report/html/signals/token_rows.h"
#include "report/html/signals/wave_chart.h"

#include <exray/sound.h>
#include <math.h>
#include <stdlib.h>

enum { SOUND_MOST = 1 << 24, INPUTS_MOST = 4 };

/* One frame that is being shown. */
typedef struct listener {
    xr_page *page;
    size_t frame, number;
    bool notable;
    xr_signal sensor; /* the sound that it recorded; count 0: none */
} listener;

/* ---- What the sensor recorded ------------------------------------------------------------------- */

/* Calls `take` with the frame's sensor records that have a format, until it takes one. */
static bool each_sensor(xr_page *p, size_t frame, bool (*take)(listener *, const exray_tensor_view *),
                        listener *l)
{
    bool taken = false;
    exray_slot *slot = exray_slot_new();
    for (int s = 0; s < 2 && slot && !taken; s++) {
        const exray_log *log = exray_comparison_log(p->comparison, (exray_side)s);
        size_t position = exray_comparison_frame(p->comparison, frame).frame[s];
        const exray_record *record = exray_log_records(log, position);
        size_t count = exray_log_frame(log, position)->record_count;
        for (size_t i = 0; i < count && !taken; i++) {
            exray_tensor_view view;
            exray_error error;
            taken = record[i].message == EXRAY_MESSAGE_TENSOR && record[i].kind == EXRAY_KIND_SENSOR &&
                    record[i].has_data &&
                    exray_log_read_tensor(log, &record[i], slot, &view, &error) == EXRAY_OK &&
                    view.has_media && view.media.format && take(l, &view);
        }
    }
    exray_slot_free(slot);
    return taken;
}

static bool is_sound(listener *l, const exray_tensor_view *view)
{
    (void)l;
    static const char *const formats[] = {"wav", "s16", "f32"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(view->media.format, formats[i]) == 0)
            return true;
    return false;
}

/* The mean of the channels would hide what one of them has: the first is shown. */
static bool read_sound(const exray_sound *sound, xr_signal *s)
{
    size_t length = exray_sound_length(sound), channels = exray_sound_channels(sound);
    *s = (xr_signal){.rate = exray_sound_rate(sound)};
    if (length == 0 || length > SOUND_MOST)
        return false;
    s->values = malloc(length * sizeof *s->values);
    for (size_t i = 0; s->values && i < length; i++)
        s->values[i] = exray_sound_samples(sound)[i * channels];
    s->count = s->values ? length : 0;
    return s->values != NULL;
}

static void put_sound(listener *l, const xr_signal *s, size_t channels)
{
    char label[128];
    double low = INFINITY, high = -INFINITY;
    xr_signal_extend(s, &low, &high);
    if (s->rate > 0)
        snprintf(label, sizeof label, "What the sensor heard: %.3g s at %.0f Hz%s",
                 (double)s->count / s->rate, s->rate, channels > 1 ? ", the first channel" : "");
    else
        snprintf(label, sizeof label, "What the sensor heard: %llu samples of %zu channel%s",
                 (unsigned long long)s->count, channels, channels > 1 ? "s, the first" : "");
    xr_sound_owner who = {"sensor", "the sensor's sound", label};
    fputs("<div class=\"plots\">\n", l->page->out);
    xr_put_wave(l->page, &who, s, high > low ? low : -1, high > low ? high : 1, l->number);
    if (xr_has_spectrum(s))
        xr_put_spectrum(l->page, &who, s, l->number);
    if (l->notable)
        xr_put_player(l->page, s, "what the sensor heard");
    fputs("</div>\n", l->page->out);
}

/* The recorded sound, or the text given to a text model. */
static bool put_sensor(listener *l, const exray_tensor_view *view)
{
    exray_error error;
    xr_signal s;
    if (strcmp(view->media.format, "utf8") == 0) {
        char text[XR_TEXT_MOST + 8];
        size_t size = view->size < sizeof text - 1 ? view->size : sizeof text - 1;
        memcpy(text, view->data, size);
        text[size] = '\0';
        xr_put(l->page->out, "<blockquote>%s</blockquote>\n", text);
        return true;
    }
    exray_sound *sound = exray_sound_decode(&view->media, view->data, view->size, &error);
    if (!sound)
        return false;
    if (read_sound(sound, &s)) {
        put_sound(l, &s, exray_sound_channels(sound));
        l->sensor = s;
    }
    exray_sound_free(sound);
    return true;
}

/* ---- What the model was given -------------------------------------------------------------------------- */

static const xr_sound_owner owners[2] = {{"edge", "the edge's input", "What the edge fed the model"},
                                         {"reference", "the reference's input", "What the reference fed it"}};

/* An input's charts have ids of their own. */
static size_t chart_number(const listener *l, size_t k)
{
    return k == 0 ? l->number : 1000 * (k + 1) + l->number;
}

static void put_waves(listener *l, xr_signal s[2], size_t pair, size_t k)
{
    double low = INFINITY, high = -INFINITY;
    double rate = xr_signal_model_rate(l->page, s, &l->sensor);
    for (int side = 0; side < 2; side++) {
        s[side].rate = rate;
        xr_signal_extend(&s[side], &low, &high);
    }
    if (!(high > low)) {
        high = isfinite(low) ? low + 1 : 1;
        low = isfinite(low) ? low - 1 : -1;
    }
    bool long_ones = xr_has_spectrum(&s[0]) || xr_has_spectrum(&s[1]);
    fputs("<div class=\"plots\">\n", l->page->out);
    for (int side = 0; side < 2; side++) {
        if (s[side].count == 0)
            continue;
        if (side && long_ones)
            fputs("</div>\n<div class=\"plots\">\n", l->page->out);
        xr_put_wave(l->page, &owners[side], &s[side], low, high, chart_number(l, k));
        if (xr_has_spectrum(&s[side]))
            xr_put_spectrum(l->page, &owners[side], &s[side], chart_number(l, k));
        if (l->notable && xr_has_spectrum(&s[side]))
            xr_put_player(l->page, &s[side],
                          side ? "what the reference fed it" : "what the edge fed the model");
    }
    fputs("</div>\n", l->page->out);
    xr_put_sound_undone(l->page, pair, l->frame, rate, chart_number(l, k));
}

/* Where there are several, which one it is. */
static void put_input_name(const listener *l, size_t pair)
{
    if (exray_comparison_input_count(l->page->comparison) > 1)
        xr_put(l->page->out, "<p class=\"label\">Input <code>%s</code></p>\n",
               exray_comparison_input(l->page->comparison, pair)->name[EXRAY_SIDE_EDGE]);
}

static void put_input(listener *l, size_t pair, size_t k)
{
    xr_signal s[2];
    xr_feature_shape shapes[2];
    bool tokens = false, features = false;
    for (int side = 0; side < 2; side++) {
        xr_signal_read(l->page, (exray_side)side, l->frame, pair, &s[side]);
        shapes[side] = xr_feature_shape_of(&s[side], l->sensor.count);
        tokens = tokens || xr_signal_is_tokens(&s[side]);
        features = features || shapes[side].rows;
    }
    if (!s[0].count && !s[1].count)
        fputs(k ? "" : "<p class=\"none\">This frame's inputs were not recorded.</p>\n", l->page->out);
    else if (tokens)
        xr_put_token_rows(l->page, exray_comparison_input(l->page->comparison, pair)->name[EXRAY_SIDE_EDGE],
                          s);
    else {
        put_input_name(l, pair);
        if (features)
            xr_put_feature_maps(l->page, s, shapes, chart_number(l, k));
        else
            put_waves(l, s, pair, k);
    }
    xr_signal_free(&s[0]);
    xr_signal_free(&s[1]);
}

static bool is_of_sound(const char *cause)
{
    return strcmp(cause, "input.features") == 0 || strcmp(cause, "input.sample_rate") == 0 ||
           strcmp(cause, "input.gain") == 0;
}

/* Without a sensor's sound: whether the log's task, a finding, or the input's name says so. */
static bool is_called_features(const xr_page *p, size_t pair)
{
    static const char *const words[] = {"mel",   "spec",  "feature",     "mfcc",
                                        "audio", "fbank", "fingerprint", "sound"};
    const char *name = exray_comparison_input(p->comparison, pair)->name[EXRAY_SIDE_EDGE];
    const char *task = exray_log_metadata(exray_comparison_log(p->comparison, EXRAY_SIDE_EDGE), "task");
    if (task && (strcmp(task, "audio") == 0 || strcmp(task, "speech") == 0))
        return true;
    for (size_t i = 0; i < p->report->outcome->shown_count; i++)
        if (is_of_sound(p->report->outcome->shown[i]->cause))
            return true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (xr_has_word(name, words[i]))
            return true;
    return false;
}

bool xr_is_features(xr_page *p, size_t pair, size_t frame)
{
    xr_signal s;
    bool heard = each_sensor(p, frame, is_sound, NULL);
    xr_signal_read(p, EXRAY_SIDE_REFERENCE, frame, pair, &s);
    if (s.count == 0)
        xr_signal_read(p, EXRAY_SIDE_EDGE, frame, pair, &s);
    bool features = heard ? s.count > 0 : is_called_features(p, pair) && xr_feature_shape_of(&s, 0).rows > 0;
    xr_signal_free(&s);
    return features;
}

void xr_html_signal(xr_page *p, size_t pair, size_t frame, size_t number, bool notable)
{
    listener l = {.page = p, .frame = frame, .number = number, .notable = notable};
    size_t shown = 1;
    each_sensor(p, frame, put_sensor, &l);
    put_input(&l, pair, 0);
    for (size_t i = 0; i < exray_comparison_input_count(p->comparison) && shown < INPUTS_MOST; i++)
        if (i != pair)
            put_input(&l, i, shown++);
    xr_signal_free(&l.sensor);
}
