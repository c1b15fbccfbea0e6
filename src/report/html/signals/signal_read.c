#include "report/html/signals/signal_read.h"

#include "checks/input/pipeline_of.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

enum { VALUES_MOST = 1 << 24, PIPELINE_MOST = 1 << 20 };
#define RATE_MOST  1e6 /* Hz */
#define ONE_BY_ONE 0.95

void xr_signal_read(xr_page *p, exray_side side, size_t frame, size_t pair, xr_signal *s)
{
    const float *values;
    exray_error error;
    *s = (xr_signal){0};
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

void xr_signal_free(xr_signal *s)
{
    free(s->values);
    *s = (xr_signal){0};
}

bool xr_signal_is_tokens(const xr_signal *s)
{
    exray_dtype t = s->view.info.dtype;
    return s->count && s->view.info.quantization.count == 0 &&
           (t == EXRAY_DTYPE_INT32 || t == EXRAY_DTYPE_INT64 || t == EXRAY_DTYPE_UINT32 ||
            t == EXRAY_DTYPE_UINT64);
}

void xr_signal_extend(const xr_signal *s, double *low, double *high)
{
    for (uint64_t i = 0; i < s->count; i++)
        if (isfinite(s->values[i])) {
            *low = fmin(*low, (double)s->values[i]);
            *high = fmax(*high, (double)s->values[i]);
        }
}

/* ---- The rate -------------------------------------------------------------------------------- */

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* The number behind `rate:`, where that is a key of its own; 0: there is none. */
static double rate_in(const char *text, size_t size)
{
    static const char key[] = "rate:";
    const size_t length = sizeof key - 1;
    for (size_t i = 0; i + length < size; i++) {
        char number[32];
        if (memcmp(text + i, key, length) != 0 || (i > 0 && is_word(text[i - 1])))
            continue;
        size_t left = size - i - length, kept = left < sizeof number - 1 ? left : sizeof number - 1;
        memcpy(number, text + i + length, kept);
        number[kept] = '\0';
        double rate = strtod(number, NULL);
        if (rate > 0 && rate <= RATE_MOST)
            return rate;
    }
    return 0;
}

static double rate_of_pipeline(xr_page *p, exray_side side)
{
    const exray_log *log = exray_comparison_log(p->comparison, side);
    for (size_t i = 0; i < exray_log_attachment_count(log); i++) {
        const exray_attachment *a = exray_log_attachment(log, i);
        const void *data;
        size_t size;
        exray_error error;
        if (!xr_is_pipeline_file(a) || a->size > PIPELINE_MOST ||
            exray_log_read_attachment(log, i, p->truth_slot, &data, &size, &error) != EXRAY_OK)
            continue;
        double rate = rate_in(data, size);
        if (rate > 0)
            return rate;
    }
    return 0;
}

static double pipeline_rate(xr_page *p)
{
    if (!p->pipeline_rate_known) {
        double rate = rate_of_pipeline(p, EXRAY_SIDE_REFERENCE);
        p->pipeline_rate = rate > 0 ? rate : rate_of_pipeline(p, EXRAY_SIDE_EDGE);
        p->pipeline_rate_known = true;
    }
    return p->pipeline_rate;
}

/* The correlation of a side's samples with the sound's first ones, each where it stands. */
static double alikeness(const xr_signal *side, const xr_signal *sensor)
{
    double a = 0, b = 0, aa = 0, bb = 0, ab = 0, n = 0;
    for (uint64_t i = 0; i < side->count && i < sensor->count; i++) {
        double x = (double)side->values[i], y = (double)sensor->values[i];
        if (!isfinite(x) || !isfinite(y))
            continue;
        n++;
        a += x, b += y, aa += x * x, bb += y * y, ab += x * y;
    }
    double variance = (aa - a * a / n) * (bb - b * b / n);
    return n > 0 && variance > 0 ? (ab - a * b / n) / sqrt(variance) : 0;
}

double xr_signal_model_rate(xr_page *p, const xr_signal sides[2], const xr_signal *sensor)
{
    double rate = pipeline_rate(p);
    if (!(rate > 0) && sensor->rate <= RATE_MOST &&
        fabs(alikeness(&sides[EXRAY_SIDE_REFERENCE], sensor)) > ONE_BY_ONE)
        rate = sensor->rate;
    return rate;
}
