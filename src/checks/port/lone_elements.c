#include "checks/port/lone_elements.h"

#include "checks/ascending.h"
#include "checks/model/coarse.h"

#include <math.h>
#include <stdlib.h>

enum { LEAST_ELEMENTS = 8, MOST_ELEMENTS = 4096, LEAST_FRAMES = 6, MOST_FRAMES = 64 };

/* An element that differs by more of its own deviation shares less than a fifth of its variance with the
 * reference's; and so many times the others' error is none that is spread over all. */
#define WRONG 0.9
#define APART 4.0
/* Of the median deviation: an element that varies less is not judged. */
#define VARIES 0.5
/* What is wrong is so in most frames, not in one that rounding decided; and but few elements are. */
#define IN_FRAMES  0.5
#define MOST_WRONG 0.25
#define OF_A_FRAME 3.0

typedef struct element {
    double deviation, error; /* of the reference; rms of the difference */
    double relative;         /* the error to the deviation; 0: it varies too little to be judged */
    bool often;              /* it is far off in most frames */
} element;

typedef struct vectors {
    size_t elements, frames;
    float *value[2]; /* [MOST_FRAMES][elements] */
    float *scratch;  /* [elements] */
    element *list;   /* [elements] */
    float *usual;    /* [MOST_FRAMES]: the median difference */
    bool other_sums; /* in some frame the reference's do not sum to 1, as a softmax's do */
} vectors;

static void drop(vectors *v)
{
    free(v->value[0]);
    free(v->value[1]);
    free(v->scratch);
    free(v->list);
    free(v->usual);
}

static bool make_room(vectors *v, size_t elements)
{
    v->elements = elements;
    for (int s = 0; s < 2; s++)
        v->value[s] = malloc(MOST_FRAMES * elements * sizeof *v->value[s]);
    v->scratch = malloc(elements * sizeof *v->scratch);
    v->list = malloc(elements * sizeof *v->list);
    v->usual = malloc(MOST_FRAMES * sizeof *v->usual);
    return v->value[0] && v->value[1] && v->scratch && v->list && v->usual;
}

/* The median of the scratch's first values. */
static double median(const vectors *v, size_t count)
{
    qsort(v->scratch, count, sizeof *v->scratch, xr_ascending_floats);
    return count ? (double)v->scratch[count / 2] : 0;
}

/* Whether a tensor is one vector. */
static bool is_vector(const exray_tensor_view *view)
{
    const uint32_t rank = view->info.rank;
    return rank > 0 && view->count >= LEAST_ELEMENTS && view->count <= MOST_ELEMENTS &&
           (uint64_t)view->info.shape[rank - 1] == view->count;
}

/* False: the output is no vector of one length. */
static bool add_frame(const exray_comparison *c, size_t position, size_t frame, exray_slot *slot[2],
                      vectors *v)
{
    exray_tensor_view view[2];
    const float *value[2];
    exray_error ignored;
    for (int s = 0; s < 2; s++)
        if (exray_comparison_values(c, (exray_side)s, frame, EXRAY_KIND_OUTPUT, position, slot[s], &view[s],
                                    &value[s], &ignored) != EXRAY_OK)
            return true; /* not recorded there */
    if (!is_vector(&view[0]) || !is_vector(&view[1]) || view[0].count != view[1].count ||
        (v->elements ? view[0].count != v->elements : !make_room(v, view[0].count)))
        return false;
    double sum = 0;
    for (size_t i = 0; i < v->elements; i++) {
        sum += (double)value[1][i];
        for (int s = 0; s < 2; s++)
            v->value[s][v->frames * v->elements + i] = value[s][i];
        v->scratch[i] = fabsf(value[0][i] - value[1][i]);
        if (!isfinite(v->scratch[i]))
            return false;
    }
    v->other_sums = v->other_sums || fabs(sum - 1) > 0.1;
    v->usual[v->frames++] = (float)median(v, v->elements);
    return true;
}

static element element_of(const vectors *v, size_t i)
{
    double sum = 0, square = 0, difference = 0, n = (double)v->frames;
    size_t far = 0;
    for (size_t f = 0; f < v->frames; f++) {
        const double r = (double)v->value[1][f * v->elements + i];
        const double d = (double)v->value[0][f * v->elements + i] - r;
        sum += r, square += r * r, difference += d * d;
        far += fabs(d) > OF_A_FRAME * (double)v->usual[f];
    }
    return (element){.deviation = sqrt(fmax(square / n - sum / n * (sum / n), 0)),
                     .error = sqrt(difference / n),
                     .often = (double)far > IN_FRAMES * n};
}

static void judge(const vectors *v, xr_lone_elements *out)
{
    for (size_t i = 0; i < v->elements; i++) {
        v->list[i] = element_of(v, i);
        v->scratch[i] = (float)v->list[i].deviation;
    }
    const double least = VARIES * median(v, v->elements);
    for (size_t i = 0; i < v->elements; i++) {
        element *e = &v->list[i];
        if (e->deviation > 0 && e->deviation >= least) {
            e->relative = e->error / e->deviation;
            v->scratch[out->elements++] = (float)e->relative;
        }
    }
    out->usual = median(v, out->elements);
    if (out->elements < LEAST_ELEMENTS)
        return;
    for (size_t i = 0; i < v->elements; i++) {
        const element *e = &v->list[i];
        if (!(e->relative > WRONG && e->relative > APART * out->usual && e->often))
            continue;
        if (out->count++ == 0) {
            out->first = i;
            out->error = e->relative;
        }
    }
    if ((double)out->count > MOST_WRONG * (double)out->elements)
        out->count = 0;
}

xr_lone_elements xr_lone_elements_of(const exray_comparison *comparison, size_t position)
{
    xr_lone_elements out = {0};
    const exray_io_pair *output = exray_comparison_output(comparison, position);
    if (!output->comparable || !(output->error > 0) || !(output->error <= output->noise) ||
        !(output->noise >= XR_COARSE_NOISE) ||
        output->metrics.count > (uint64_t)MOST_ELEMENTS * output->frames) /* nothing of it need be read */
        return out;
    vectors v = {0};
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    const size_t frames = exray_comparison_frame_count(comparison), step = frames / MOST_FRAMES + 1;
    bool good = slot[0] && slot[1];
    for (size_t f = 0; good && f < frames; f += step)
        good = add_frame(comparison, position, f, slot, &v);
    out.frames = v.frames;
    if (good && v.frames >= LEAST_FRAMES && v.other_sums)
        judge(&v, &out);
    drop(&v);
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return out;
}
