#include "checks/model/state/loops.h"

#include "checks/layer/value_evidence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* An overlap of fewer values may be chance, of windows longer than that a search too long. */
enum { MOST_PORTS = 32, LOOK_AT = 32, LEAST_OVERLAP = 8, MOST_WINDOW = 1 << 20 };
static const char key[] = "loops";

/* The values of a tensor, copied. */
typedef struct kept_values {
    float *v;
    uint64_t count;
    bool known;
} kept_values;

/* Whether a tensor is known to have no values: keys and values before the first token. */
static bool is_empty(const exray_log *log, const exray_record *record, exray_slot *slot)
{
    exray_tensor_view view;
    exray_error ignored;
    if (record->has_data || exray_log_read_tensor(log, record, slot, &view, &ignored) != EXRAY_OK)
        return false;
    for (uint32_t d = 0; d < view.info.rank; d++)
        if (view.info.shape[d] == 0)
            return true;
    return false;
}

static bool read_values(const exray_log *log, size_t frame, exray_kind kind, const char *name,
                        exray_slot *slot, kept_values *out)
{
    const exray_record *record = exray_log_find(log, frame, kind, EXRAY_NO_INDEX, 0, name);
    exray_tensor_view view;
    const float *given;
    exray_error error;
    out->known = record && is_empty(log, record, slot);
    out->count = 0;
    if (out->known || !record || !record->has_data ||
        exray_log_read_values(log, record, slot, &view, &given, &error) != EXRAY_OK)
        return true;
    float *grown = realloc(out->v, (view.count + 1) * sizeof *grown);
    if (!grown)
        return false;
    out->v = grown;
    memcpy(grown, given, view.count * sizeof *grown);
    out->count = view.count;
    out->known = true;
    return true;
}

static bool all_zero(const kept_values *a, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        if (a->v[i] != 0)
            return false;
    return true;
}

/* One value throughout says nothing: a mask of ones, the bars of a picture. */
static bool is_flat(const kept_values *a, uint64_t count)
{
    for (uint64_t i = 1; i < count; i++)
        if (a->v[i] != a->v[0])
            return false;
    return true;
}

/* Whether the input begins with the last `count` values of what the frame before left. */
static bool begins_with(const kept_values *input, const kept_values *before, uint64_t count)
{
    if (input->count < count || before->count < count)
        return false;
    for (uint64_t i = 0; i < count; i++)
        if (input->v[i] != before->v[before->count - count + i])
            return false;
    return true;
}

/* Whether a value is of 16 bits, float16 or bfloat16: what a float has below them is 0. */
static bool is_of_16_bits(float value)
{
    enum { BELOW_FLOAT16 = 0x1fff };
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (bits & BELOW_FLOAT16) == 0;
}

/* Whether the input is all of what the frame before left, rounded to 16 bits: a state that is kept in few
 * bytes is carried. */
static bool is_rounded(const kept_values *input, const kept_values *before)
{
    const float relative = 0x1p-8F, absolute = 0x1p-24F; /* a step of bfloat16; float16's smallest */
    if (input->count != before->count)
        return false;
    for (uint64_t i = 0; i < input->count; i++)
        if (!is_of_16_bits(input->v[i]) ||
            !(fabsf(input->v[i] - before->v[i]) <= relative * fabsf(before->v[i]) + absolute))
            return false;
    return true;
}

static xr_link link_of(const kept_values *input, const kept_values *before, uint64_t overlap)
{
    if (!input->known || !before->known || input->count < overlap)
        return XR_LINK_UNKNOWN;
    if (overlap == 0) /* without values: a decoder that begins anew */
        return before->count ? XR_LINK_ZEROS : XR_LINK_UNKNOWN;
    if (begins_with(input, before, overlap) ||
        (overlap == input->count && !all_zero(input, overlap) && is_rounded(input, before)))
        return XR_LINK_CARRIED;
    return all_zero(input, overlap) ? XR_LINK_ZEROS : XR_LINK_OTHER;
}

static bool equal_values(const kept_values *a, const kept_values *b)
{
    return a->known && b->known && a->count == b->count && memcmp(a->v, b->v, a->count * sizeof *a->v) == 0;
}

static void swap_values(kept_values *a, kept_values *b)
{
    kept_values was = *a;
    *a = *b;
    *b = was;
}

/* Follows a loop through a log; *carried: in how many frames the state is what the frame before left, where
 * that is not zeros alone. */
static bool follow(const exray_comparison *c, xr_loop *loop, int side, exray_slot *slot, size_t *carried,
                   size_t *known)
{
    const exray_log *log = exray_comparison_log(c, (exray_side)side);
    const bool own = loop->output == SIZE_MAX;
    const char *input = exray_comparison_input(c, loop->input)->name[side];
    const char *left = own ? input : exray_comparison_output(c, loop->output)->name[side];
    kept_values in = {0}, out = {0}, last_in = {0}, last_out = {0};
    bool ok = true, grows = false; /* as keys and values of a decoder do, from frame to frame */
    *carried = *known = 0;
    for (size_t f = 0; ok && f < exray_log_frame_count(log); f++) {
        ok = read_values(log, f, EXRAY_KIND_INPUT, input, slot, &in);
        /* Not of the size of what the frame before left: not this output. */
        if (f == 1 && grows && (!in.known || in.count != out.count))
            break;
        xr_link link = f && ok ? link_of(&in, &out, own ? loop->overlap : in.count) : XR_LINK_UNKNOWN;
        if (link == XR_LINK_OTHER && !own)
            link = equal_values(&in, &last_in)    ? XR_LINK_KEPT
                   : equal_values(&in, &last_out) ? XR_LINK_EARLIER
                                                  : link;
        loop->link[side][f] = (unsigned char)link;
        *carried += link == XR_LINK_CARRIED && !(own ? is_flat(&in, loop->overlap) : all_zero(&in, in.count));
        *known += link != XR_LINK_UNKNOWN;
        swap_values(&out, &last_out);
        ok = ok && read_values(log, f, own ? EXRAY_KIND_INPUT : EXRAY_KIND_OUTPUT, left, slot, &out);
        if (f == 0 && (!in.known || !out.known || (in.count == 0 && out.count == 0)))
            break;
        grows = grows || (f == 0 && in.count != out.count);
        loop->size = in.known ? in.count : loop->size;
        swap_values(&in, &last_in);
    }
    if (!own)
        loop->overlap = loop->size;
    free(in.v);
    free(out.v);
    free(last_in.v);
    free(last_out.v);
    return ok;
}

/* The longest beginning of `now` that is the end of `before`, shorter than all of it (Knuth, Morris and
 * Pratt); false: out of memory. */
static bool longest_overlap(const kept_values *now, const kept_values *before, uint64_t *overlap)
{
    uint64_t n = now->count, k = 0;
    uint64_t *border = calloc(n + 1, sizeof *border);
    if (!border)
        return false;
    for (uint64_t i = 1; i < n; i++) {
        while (k && now->v[i] != now->v[k])
            k = border[k - 1];
        k += now->v[i] == now->v[k];
        border[i] = k;
    }
    k = 0;
    for (uint64_t i = 1; i < before->count; i++) { /* not from the first on: that would be all of it */
        while (k && (k == n || before->v[i] != now->v[k]))
            k = border[k - 1];
        k += before->v[i] == now->v[k];
    }
    free(border);
    *overlap = k;
    return true;
}

/* How far the windows of an input overlap on a side: the same in two thirds of the first frames; 0: they do
 * not.  False: out of memory. */
static bool find_overlap(const exray_log *log, const char *name, exray_slot *slot, uint64_t *overlap)
{
    uint64_t found[LOOK_AT] = {0};
    size_t frames = exray_log_frame_count(log), count = 0, most = 0;
    kept_values both[2] = {{0}};
    bool ok = true;
    *overlap = 0;
    for (size_t f = 0; ok && f < frames && count < LOOK_AT; f++) {
        kept_values *now = &both[f % 2], *before = &both[(f + 1) % 2];
        ok = read_values(log, f, EXRAY_KIND_INPUT, name, slot, now);
        if (ok && now->known && now->count > MOST_WINDOW)
            break;
        if (f && ok && now->known && before->known && now->count == before->count)
            ok = longest_overlap(now, before, &found[count++]);
    }
    for (size_t i = 0; ok && i < count; i++) {
        size_t same = 0;
        for (size_t k = 0; k < count; k++)
            same += found[k] == found[i];
        if (same > most && found[i] >= LEAST_OVERLAP && count >= 3 && 3 * same >= 2 * count) {
            most = same;
            *overlap = found[i];
        }
    }
    free(both[0].v);
    free(both[1].v);
    return ok;
}

/* Inputs that are equal throughout have no fault in their state. */
static bool differs(const exray_io_pair *io)
{
    return !io->comparable || io->other_shape || io->metrics.max_abs != 0;
}

static void release(void *state)
{
    xr_loops *loops = state;
    for (size_t i = 0; i < loops->count; i++)
        for (int s = 0; s < 2; s++)
            free(loops->loop[i].link[s]);
    free(loops->loop);
    free(loops->more);
    free(loops);
}

/* Adds a loop where one side at least carries it on in most frames.  False: out of memory. */
static bool try_loop(const exray_comparison *c, xr_loop loop, exray_slot *slot, xr_loops *loops)
{
    bool ok = true, found = false;
    for (int s = 0; s < 2 && ok; s++) {
        size_t carried = 0, known = 0;
        loop.link[s] = calloc(exray_log_frame_count(exray_comparison_log(c, (exray_side)s)) + 1, 1);
        ok = loop.link[s] && follow(c, &loop, s, slot, &carried, &known);
        found = found || (ok && carried >= 2 && 2 * carried >= known);
    }
    if (ok && found) {
        loops->loop[loops->count++] = loop;
        return true;
    }
    free(loop.link[0]);
    free(loop.link[1]);
    return ok;
}

/* Whether two inputs differ behind their first `overlap` values, in any frame. */
static bool differs_behind(const exray_comparison *c, const xr_loop *loop, exray_slot *const slot[2])
{
    for (size_t f = 0; f < exray_comparison_frame_count(c); f++) {
        exray_tensor_view view[2];
        const float *v[2];
        exray_error error;
        bool both = true;
        for (int s = 0; s < 2 && both; s++)
            both = exray_comparison_values(c, (exray_side)s, f, EXRAY_KIND_INPUT, loop->input, slot[s],
                                           &view[s], &v[s], &error) == EXRAY_OK;
        if (!both)
            continue;
        if (view[0].count != view[1].count)
            return true;
        for (uint64_t i = loop->overlap; i < view[0].count; i++)
            if (memcmp((const char *)v[0] + i * sizeof **v, (const char *)v[1] + i * sizeof **v,
                       sizeof **v) != 0)
                return true;
    }
    return false;
}

static int ascending(const void *a, const void *b)
{
    float x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* Whether one is the other in another order.  Both are sorted. */
static bool is_rearranged(float *a, float *b, uint64_t count)
{
    qsort(a, count, sizeof *a, ascending);
    qsort(b, count, sizeof *b, ascending);
    return memcmp(a, b, count * sizeof *a) == 0;
}

/* Whether most of the first `overlap` values are equal; zeros say nothing. */
static bool is_mostly_equal(const float *a, const float *b, uint64_t overlap)
{
    uint64_t same = 0, all = 0;
    for (uint64_t i = 0; i < overlap; i++) {
        all += b[i] != 0;
        same += b[i] != 0 && a[i] == b[i];
    }
    return 2 * same > all;
}

/* Whether windows are wrong in themselves in every frame that differs: a state that is not carried is another
 * one all over, so that a few values that changed, or values at the places of others, are a fault of the
 * input. False: out of memory. */
static bool are_edited(const exray_comparison *c, size_t input, uint64_t overlap, exray_slot *const slot[2],
                       bool *edited)
{
    size_t differing = 0;
    bool ok = true;
    *edited = true;
    for (size_t f = 0; ok && *edited && f < exray_comparison_frame_count(c); f++) {
        exray_tensor_view view[2];
        const float *v[2];
        exray_error error;
        bool both = true;
        for (int s = 0; s < 2 && both; s++)
            both = exray_comparison_values(c, (exray_side)s, f, EXRAY_KIND_INPUT, input, slot[s], &view[s],
                                           &v[s], &error) == EXRAY_OK;
        if (!both || view[0].count != view[1].count || view[0].count < overlap ||
            memcmp(v[0], v[1], overlap * sizeof **v) == 0)
            continue;
        uint64_t count = view[0].count;
        float *copy = malloc(2 * count * sizeof *copy);
        ok = copy != NULL;
        if (!ok)
            break;
        memcpy(copy, v[0], count * sizeof *copy);
        memcpy(copy + count, v[1], count * sizeof *copy);
        differing++;
        *edited = is_mostly_equal(copy, copy + count, overlap) || is_rearranged(copy, copy + count, count);
        free(copy);
    }
    *edited = *edited && differing > 0;
    return ok;
}

/* Whether the sides have the input's dimensions, those of 1 aside, in two orders: their values follow each
 * other otherwise, and equal ones at equal places are none of the same window. */
static bool is_in_two_orders(const exray_comparison *c, size_t i, exray_slot *const slots[2])
{
    exray_tensor_view view[2];
    const float *values[2];
    exray_error ignored;
    for (int s = 0; s < 2; s++)
        if (exray_comparison_frame_count(c) == 0 ||
            exray_comparison_values(c, (exray_side)s, 0, EXRAY_KIND_INPUT, i, slots[s], &view[s], &values[s],
                                    &ignored) != EXRAY_OK)
            return false;
    int64_t shape[2][EXRAY_MAX_RANK];
    const uint32_t rank = xr_squeezed_shape(&view[0].info, shape[0]);
    /* Of other ranks, one is flattened. */
    return rank == xr_squeezed_shape(&view[1].info, shape[1]) &&
           memcmp(shape[0], shape[1], rank * sizeof *shape[0]) != 0;
}

static bool find_of_input(const exray_comparison *c, size_t i, exray_slot *const slots[2], xr_loops *loops)
{
    exray_slot *slot = slots[0];
    size_t before = loops->count, inputs = exray_comparison_input_count(c);
    bool ok = true;
    /* A model of one input gets no output back. */
    for (size_t o = 0; ok && inputs > 1 && o < exray_comparison_output_count(c) && o < MOST_PORTS; o++) {
        ok = try_loop(c, (xr_loop){.input = i, .output = o}, slot, loops);
        if (loops->count > before)
            return ok;
    }
    if (exray_comparison_input(c, i)->other_shape)
        return ok; /* windows of two lengths: input.shape says so */
    if (is_in_two_orders(c, i, slots))
        return ok;
    uint64_t overlap[2] = {0};
    for (int s = 0; ok && s < 2; s++)
        ok = find_overlap(exray_comparison_log(c, (exray_side)s), exray_comparison_input(c, i)->name[s], slot,
                          &overlap[s]);
    uint64_t longer = overlap[0] > overlap[1] ? overlap[0] : overlap[1];
    bool edited = false;
    ok = ok && (!longer || are_edited(c, i, longer, slots, &edited));
    return ok && (!longer || edited ||
                  try_loop(c, (xr_loop){.input = i, .output = SIZE_MAX, .overlap = longer}, slot, loops));
}

static bool find(const exray_comparison *c, xr_loops *loops)
{
    size_t inputs = exray_comparison_input_count(c);
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    loops->loop = calloc(inputs + 1, sizeof *loops->loop);
    loops->more = calloc(inputs + 1, sizeof *loops->more);
    bool ok = slot[0] && slot[1] && loops->loop && loops->more;
    for (size_t i = 0; ok && inputs <= MOST_PORTS && i < inputs; i++)
        if (differs(exray_comparison_input(c, i)))
            ok = find_of_input(c, i, slot, loops);
    for (size_t i = 0; ok && i < loops->count; i++)
        loops->more[i] = loops->loop[i].output == SIZE_MAX && differs_behind(c, &loops->loop[i], slot);
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return ok;
}

const xr_loops *xr_loops_get(const exray_comparison *comparison, exray_findings *findings)
{
    xr_loops *loops = xr_findings_attached(findings, key, 0);
    if (loops)
        return loops;
    loops = calloc(1, sizeof *loops);
    if (!loops || !find(comparison, loops)) {
        if (loops)
            release(loops);
        return NULL;
    }
    return xr_findings_attach(findings, key, 0, loops, release) ? loops : NULL;
}

const xr_loops *xr_loops_kept(const exray_findings *findings)
{
    return xr_findings_attached(findings, key, 0);
}

bool xr_is_looped(const xr_loops *loops, size_t input)
{
    for (size_t i = 0; i < loops->count; i++)
        if (loops->loop[i].input == input)
            return !loops->more[i];
    return false;
}

bool xr_is_broken_loop(const exray_comparison *comparison, const xr_loops *loops, size_t input)
{
    for (size_t i = 0; i < loops->count; i++) {
        size_t left[2] = {0, 0};
        if (loops->loop[i].input != input || loops->loop[i].output == SIZE_MAX)
            continue;
        for (int s = 0; s < 2; s++)
            for (size_t f = 1; f < exray_log_frame_count(exray_comparison_log(comparison, (exray_side)s));
                 f++)
                left[s] += loops->loop[i].link[s][f] == XR_LINK_KEPT ||
                           loops->loop[i].link[s][f] == XR_LINK_EARLIER ||
                           loops->loop[i].link[s][f] == XR_LINK_OTHER;
        return left[0] != left[1];
    }
    return false;
}
