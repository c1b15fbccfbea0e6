#include "report/html/signals/sound_player.h"

#include <math.h>
#include <stdlib.h>

enum {
    PAGE_MOST = 3 << 19,    /* bytes of all sounds, before they become text */
    SOUND_MOST = 192 << 10, /* of one */
    SOUND_LEAST = 4096,
    HEADER = 44,
    RATE_LEAST = 1000,
    RATE_MOST = 192000,
};

static void put_number(uint8_t *at, size_t bytes, uint32_t value)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* RIFF WAVE: PCM, one channel of 16 bits. */
static void put_header(uint8_t wav[HEADER], uint32_t rate, uint32_t bytes)
{
    static const uint8_t names[] = {'R', 'I', 'F', 'F', 0, 0, 0, 0, 'W', 'A', 'V', 'E', 'f', 'm', 't', ' '};
    static const uint8_t data[] = {'d', 'a', 't', 'a'};
    memcpy(wav, names, sizeof names);
    memcpy(wav + 36, data, sizeof data);
    put_number(wav + 4, 4, bytes + HEADER - 8);
    put_number(wav + 16, 4, 16);
    put_number(wav + 20, 2, 1);
    put_number(wav + 22, 2, 1);
    put_number(wav + 24, 4, rate);
    put_number(wav + 28, 4, 2 * rate);
    put_number(wav + 32, 2, 2);
    put_number(wav + 34, 2, 16);
    put_number(wav + 40, 4, bytes);
}

/* What a value of 1 is divided by: values of another unit than -1..1 are brought into it. */
static double unit_of(const xr_signal *s)
{
    double low = 0, high = 0;
    xr_signal_extend(s, &low, &high);
    double most = fmax(-low, high);
    return most > 1.0001 ? most : 1;
}

static void put_samples(uint8_t *at, const xr_signal *s, size_t count, double unit)
{
    for (size_t i = 0; i < count; i++) {
        double v = isfinite(s->values[i]) ? (double)s->values[i] / unit : 0;
        put_number(at + 2 * i, 2, (uint32_t)(int32_t)lround(32767 * fmin(fmax(v, -1), 1)));
    }
}

void xr_put_player(xr_page *p, const xr_signal *s, const char *label)
{
    size_t room = PAGE_MOST - p->sound_bytes, bytes = 2 * (size_t)s->count;
    if (!(s->rate >= RATE_LEAST && s->rate <= RATE_MOST) || s->count == 0)
        return;
    bytes = bytes > SOUND_MOST ? SOUND_MOST : bytes;
    if (bytes > room)
        bytes = room / 2 * 2;
    if (bytes < SOUND_LEAST && bytes < 2 * s->count) {
        xr_put(p->out, "<p class=\"legend\">To hear %s there is no room left in the page.</p>\n", label);
        return;
    }
    uint8_t *wav = malloc(HEADER + bytes);
    if (!wav)
        return;
    double unit = unit_of(s), seconds = (double)(bytes / 2) / s->rate;
    put_header(wav, (uint32_t)lround(s->rate), (uint32_t)bytes);
    put_samples(wav + HEADER, s, bytes / 2, unit);
    xr_put(p->out,
           "<figure class=\"player\"><audio controls preload=\"metadata\" aria-label=\"%s\" "
           "src=\"data:audio/wav;base64,",
           label);
    xr_put_base64(p->out, wav, HEADER + bytes);
    xr_put(p->out, "\"></audio><figcaption>Hear %s<span>", label);
    if (bytes < 2 * s->count)
        xr_put(p->out, "the first %.2g s, ", seconds);
    xr_put(p->out, "at %g Hz%s</span></figcaption></figure>\n", s->rate,
           unit > 1 ? ", brought into the range of -1 to 1" : "");
    p->sound_bytes += bytes;
    free(wav);
}
