#include "report/html/signals/sound_undone.h"

#include "checks/input/sound/sound_kept.h"
#include "checks/input/sound/sound_math.h"
#include "report/html/signals/wave_chart.h"

#include <math.h>
#include <stdlib.h>

/* What the frames of a page share: made when the first one is needed. */
struct xr_page_sound {
    size_t pair;
    const xr_sound_relation *relation; /* NULL: nothing explains this input */
    xr_sound_frames *frames;
    xr_sound_segment *segments;
    size_t count;
};

static struct xr_page_sound *sound_of(xr_page *p, size_t pair)
{
    if (p->sound && p->sound->pair == pair)
        return p->sound;
    xr_sound_undone_free(p);
    p->sound = calloc(1, sizeof *p->sound);
    if (!p->sound)
        return NULL;
    p->sound->pair = pair;
    p->sound->relation = xr_kept_sound_relation(&p->report->outcome->findings, pair);
    if (p->sound->relation)
        p->sound->frames = xr_sound_frames_read(p->comparison, pair);
    if (p->sound->frames)
        p->sound->segments = xr_sound_segments(p->sound->frames, p->sound->relation, &p->sound->count);
    return p->sound;
}

void xr_sound_undone_free(xr_page *p)
{
    if (!p->sound)
        return;
    xr_free_segments(p->sound->segments, p->sound->count);
    if (p->sound->frames)
        xr_sound_frames_free(p->sound->frames);
    free(p->sound);
    p->sound = NULL;
}

static const xr_sound_segment *segment_of(const struct xr_page_sound *sound, size_t frame)
{
    for (size_t i = 0; i < sound->count; i++)
        if (sound->frames->list[sound->segments[i].frame].frame == frame)
            return &sound->segments[i];
    return NULL;
}

/* The turned side's samples in the other's unit, (y - offset) / gain, where the other's are that they belong
 * to; between them is nothing (NAN).  False: they have nothing in common. */
static bool undo(const xr_sound_segment *s, const xr_line *line, size_t count, xr_signal *out)
{
    if (line->gain == 0 || !isfinite(line->gain) || s->first >= count)
        return false;
    out->values = malloc(count * sizeof *out->values);
    out->count = out->values ? count : 0;
    for (size_t i = 0; i < out->count; i++) {
        size_t at = i - s->first;
        bool known = i >= s->first && at < s->count;
        out->values[i] = known ? (float)(((double)s->y[at] - line->offset) / line->gain) : NAN;
    }
    return out->count > 0;
}

/* "equal", "41 dB below the signal". */
static void say_rest(double rest, char text[64])
{
    if (rest < 1e-12)
        snprintf(text, 64, "the two are equal then");
    else
        snprintf(text, 64, "what differs then is %.0f dB below the signal", -10 * log10(rest));
}

void xr_put_sound_undone(xr_page *p, size_t pair, size_t frame, double rate, size_t number)
{
    struct xr_page_sound *sound = sound_of(p, pair);
    const xr_sound_segment *segment = sound && sound->relation ? segment_of(sound, frame) : NULL;
    if (!segment || segment->count < 2)
        return;
    bool edge = sound->relation->turned == EXRAY_SIDE_EDGE;
    xr_line line = xr_fit_line(segment->y, segment->x, segment->count);
    xr_signal undone = {.rate = rate};
    char label[160], rest[64];
    double low = INFINITY, high = -INFINITY;
    if (!undo(segment, &line, sound->frames->list[segment->frame].count, &undone))
        return;
    say_rest(line.rest, rest);
    snprintf(label, sizeof label, "%s, the named fault undone: %s",
             edge ? "The edge's" : "The reference's, brought to the edge's", rest);
    xr_sound_owner who = {"undone", "the input with the named fault undone", label};
    xr_signal_extend(&undone, &low, &high);
    fputs("<div class=\"plots undone\">\n", p->out);
    xr_put_wave(p, &who, &undone, high > low ? low : -1, high > low ? high : 1, number);
    if (xr_has_spectrum(&undone))
        xr_put_spectrum(p, &who, &undone, number);
    fputs("</div>\n", p->out);
    xr_signal_free(&undone);
}
