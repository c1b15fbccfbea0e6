/* Picks the frames that are worth looking at. */
#include "report/html/frames/html_frames.h"

#include "base/sort.h"
#include "report/html/told/told_match.h"
#include "report/html/told/told_read.h"

#include <math.h>
#include <stdlib.h>

enum { READ_INPUTS = 256, DIFFERENT_MOST = 30 }; /* of more frames, this many evenly spaced ones are read */

/* rmse over the range of the reference's values, of one frame's inputs. */
static double inputs_apart(xr_page *p, size_t pair, size_t frame)
{
    const exray_io_pair *io = exray_comparison_input(p->comparison, pair);
    const float *values[2];
    exray_tensor_view view[2];
    double sum = 0, range = io->metrics.max[EXRAY_SIDE_REFERENCE] - io->metrics.min[EXRAY_SIDE_REFERENCE];
    uint64_t count = 0;
    for (int s = 0; s < 2; s++) {
        exray_error error;
        if (exray_comparison_values(p->comparison, (exray_side)s, frame, EXRAY_KIND_INPUT, pair, p->slot[s],
                                    &view[s], &values[s], &error) != EXRAY_OK)
            return NAN;
    }
    if (view[0].count != view[1].count || !(range > 0))
        return NAN;
    for (uint64_t i = 0; i < view[0].count; i++) {
        double d = xr_value_at(values[0], i) - xr_value_at(values[1], i);
        if (isfinite(d)) {
            sum += d * d;
            count++;
        }
    }
    return count ? sqrt(sum / (double)count) / range : NAN;
}

size_t xr_shown_input(const exray_comparison *comparison)
{
    size_t best = EXRAY_NO_INDEX;
    double most = -1;
    for (size_t i = 0; i < exray_comparison_input_count(comparison); i++) {
        const exray_io_pair *io = exray_comparison_input(comparison, i);
        double weight = isfinite(io->error) ? io->error : io->comparable ? 0 : -0.5;
        if (weight > most) {
            most = weight;
            best = i;
        }
    }
    return best;
}

static void read_told(xr_page *p, size_t frame, xr_frame_facts *facts)
{
    xr_told_frame told;
    facts->told = xr_told_read(p, frame, &told);
    facts->told_differs =
        facts->told && (told.has[0] != told.has[1] || xr_told_differs(&told.side[0], &told.side[1]));
}

bool xr_frame_differs(const xr_frame_facts *f)
{
    return f->apart > 0 || f->told_differs || (f->decided && f->decision.top[0] != f->decision.top[1]);
}

xr_frame_facts *xr_frame_facts_read(xr_page *p)
{
    size_t count = exray_comparison_frame_count(p->comparison), pair = xr_shown_input(p->comparison);
    xr_frame_facts *facts = count ? calloc(count, sizeof *facts) : NULL;
    size_t step = count / READ_INPUTS + 1;
    const exray_io_pair *io = pair == EXRAY_NO_INDEX ? NULL : exray_comparison_input(p->comparison, pair);
    bool known = io && io->comparable && !(io->error <= io->noise); /* within noise, no frame is notable */
    for (size_t f = 0; facts && f < count; f++) {
        facts[f].apart = known && f % step == 0 ? inputs_apart(p, pair, f) : NAN;
        facts[f].decided = xr_comparison_decision(p->comparison, f, p->slot[0], &facts[f].decision);
        if (f % step == 0)
            read_told(p, f, &facts[f]);
    }
    return facts;
}

/* ---- Picking ------------------------------------------------------------------------------ */

static bool is_taken(const xr_shown_frame *out, size_t count, size_t frame)
{
    for (size_t i = 0; i < count; i++)
        if (out[i].frame == frame)
            return true;
    return false;
}

/* The frame whose inputs differ most; `count`: none differ. */
static size_t worst(const xr_frame_facts *facts, size_t count)
{
    size_t at = count;
    double most = 0;
    for (size_t f = 0; f < count; f++)
        if (facts[f].apart > most) {
            most = facts[f].apart;
            at = f;
        }
    return at;
}

/* The most important frame of which something else is told: one that the reference had right comes first. */
static size_t changed(const xr_frame_facts *facts, size_t count, const xr_shown_frame *out, size_t taken)
{
    size_t at = count;
    double most = -1;
    for (size_t f = 0; f < count; f++) {
        const xr_decision *d = &facts[f].decision;
        bool class_changed = facts[f].decided && d->top[0] != d->top[1];
        if ((!class_changed && !facts[f].told_differs) || is_taken(out, taken, f))
            continue;
        bool lost = class_changed && d->has_label && d->label == d->top[EXRAY_SIDE_REFERENCE];
        double weight = (lost ? 10 : 0) + (isfinite(facts[f].apart) ? facts[f].apart : 0);
        if (weight > most) {
            most = weight;
            at = f;
        }
    }
    return at;
}

static double median_of(const xr_frame_facts *facts, size_t count)
{
    double *value = malloc(count * sizeof *value), median = NAN;
    size_t known = 0;
    for (size_t f = 0; value && f < count; f++)
        if (isfinite(facts[f].apart))
            value[known++] = facts[f].apart;
    if (known) {
        qsort(value, known, sizeof *value, xr_by_double);
        median = value[known / 2];
    }
    free(value);
    return median;
}

/* The frame nearest to the median difference; without any, the first. */
static size_t typical(const xr_frame_facts *facts, size_t count, const xr_shown_frame *out, size_t taken)
{
    size_t at = count;
    double median = median_of(facts, count), nearest = INFINITY;
    for (size_t f = 0; f < count; f++) {
        double away = isnan(median) ? (double)f : fabs(facts[f].apart - median);
        if (!is_taken(out, taken, f) && away < nearest) {
            nearest = away;
            at = f;
        }
    }
    return at;
}

static size_t pick_notable(const xr_frame_facts *facts, size_t count, xr_shown_frame out[XR_NOTABLE_MOST])
{
    size_t taken = 0, f = changed(facts, count, out, taken);
    if (f < count)
        out[taken++] = (xr_shown_frame){f, "What is told differs"};
    f = worst(facts, count);
    if (f < count && is_taken(out, taken, f))
        out[0].why = "What is told differs, and the inputs differ most here";
    else if (f < count)
        out[taken++] = (xr_shown_frame){f, "The inputs differ most here"};
    f = typical(facts, count, out, taken);
    if (f < count)
        out[taken++] = (xr_shown_frame){f, "A typical frame"};
    f = changed(facts, count, out, taken);
    if (f < count && taken < XR_NOTABLE_MOST)
        out[taken++] = (xr_shown_frame){f, "Another frame of which something else is told"};
    return taken;
}

/* ---- All that are shown ------------------------------------------------------------------------ */

static void add(xr_shown_frame out[XR_FRAMES_MOST], size_t *taken, size_t frame)
{
    if (*taken < XR_FRAMES_MOST && !is_taken(out, *taken, frame))
        out[(*taken)++] = (xr_shown_frame){frame, NULL};
}

static void add_different(const xr_frame_facts *facts, size_t count, xr_shown_frame out[XR_FRAMES_MOST],
                          size_t *taken)
{
    size_t different = 0, seen = 0;
    for (size_t f = 0; f < count; f++)
        different += xr_frame_differs(&facts[f]);
    size_t step = different / DIFFERENT_MOST + 1;
    for (size_t f = 0; f < count; f++)
        if (xr_frame_differs(&facts[f]) && seen++ % step == 0)
            add(out, taken, f);
}

static int by_frame(const void *a, const void *b)
{
    const xr_shown_frame *x = a, *y = b;
    return (x->frame > y->frame) - (x->frame < y->frame);
}

size_t xr_pick_frames(const xr_frame_facts *facts, size_t count, xr_shown_frame out[XR_FRAMES_MOST],
                      size_t *first)
{
    size_t taken = pick_notable(facts, count, out), chief = taken ? out[0].frame : 0;
    if (count > XR_FRAMES_MOST)
        add_different(facts, count, out, &taken);
    size_t left = XR_FRAMES_MOST - taken, step = left && count > left ? (count + left - 1) / left : 1;
    for (size_t f = 0; f < count; f += step)
        add(out, &taken, f);
    if (taken)
        qsort(out, taken, sizeof *out, by_frame);
    for (*first = 0; *first + 1 < taken && out[*first].frame != chief;)
        ++*first;
    return taken;
}

const char *xr_frame_name(const xr_page *p, size_t frame, xr_frame_text buffer)
{
    const exray_log *log = exray_comparison_log(p->comparison, EXRAY_SIDE_EDGE);
    const exray_frame *f =
        exray_log_frame(log, exray_comparison_frame(p->comparison, frame).frame[EXRAY_SIDE_EDGE]);
    const char *slash = strrchr(f->source, '/'), *file = slash && slash[1] ? slash + 1 : f->source;
    snprintf(buffer, sizeof(xr_frame_text), "Frame %llu%s%.160s", (unsigned long long)f->index,
             *file ? ", " : "", file);
    return buffer;
}
