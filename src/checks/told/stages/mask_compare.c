#include "checks/told/stages/mask_compare.h"

#include "checks/told/boxes/box_map.h"

#include <math.h>

enum { LEAST_SIDE = 8 };

const xr_mask_rule xr_mask_rule_same = {0, {0, 0}, {1, 1}, {0, 0}, 0, NULL, 0, false, false};

bool xr_is_mask(const xr_stage_series *series)
{
    if (!series->whole || series->count == 0)
        return false;
    for (size_t f = 0; f < series->count; f++) {
        const xr_stage_values *edge = &series->frame[f].side[0], *reference = &series->frame[f].side[1];
        if (edge->rank != 2 || reference->rank != 2 || reference->shape[0] < LEAST_SIDE ||
            reference->shape[1] < LEAST_SIDE)
            return false;
    }
    return true;
}

typedef struct map_view {
    const xr_stage_values *of;
    const xr_mask_rule *rule;
    size_t width, height; /* of the edge's map */
    const float *edge;    /* [height][width] */
} map_view;

/* The reference's label at a pixel of the edge's map, -1 beyond its border. */
static float label_at(const map_view *m, long x, long y)
{
    const double within = m->rule->corner ? 1e-6 : 0.5;
    double u = ((double)(x - m->rule->shift[0]) + within) / (double)m->width;
    double v = ((double)(y - m->rule->shift[1]) + within) / (double)m->height;
    u = (u - m->rule->move[0]) / m->rule->scale[0];
    v = (v - m->rule->move[1]) / m->rule->scale[1];
    if (m->rule->turn & XR_TURN_X)
        u = 1 - u;
    if (m->rule->turn & XR_TURN_Y)
        v = 1 - v;
    double column = m->rule->turn & XR_TURN_EXCHANGED ? v : u,
           row = m->rule->turn & XR_TURN_EXCHANGED ? u : v;
    if (!(column >= 0 && column < 1 && row >= 0 && row < 1))
        return -1;
    size_t i = (size_t)(column * (double)m->of->shape[1]), k = (size_t)(row * (double)m->of->shape[0]);
    float label = m->of->value[k * m->of->shape[1] + i];
    return m->rule->label && label >= 0 && label < XR_MASK_LABELS ? m->rule->label[(int)label] : label;
}

static bool is_near(const map_view *m, long x, long y, float label, long radius)
{
    for (long dy = -radius; dy <= radius; dy++)
        for (long dx = -radius; dx <= radius; dx++)
            if (label_at(m, x + dx, y + dy) == label)
                return true;
    return false;
}

static float edge_at(const map_view *m, long x, long y, float beyond)
{
    const bool inside = x >= 0 && y >= 0 && (size_t)x < m->width && (size_t)y < m->height;
    return inside ? m->edge[(size_t)y * m->width + (size_t)x] : beyond;
}

/* Whether one side alone says that the pixel does not count, and the other has a border near it: who leaves
 * out what is uncertain leaves out borders, not what lies between them. */
static bool is_uncertain(const map_view *m, long x, long y, float label, float other)
{
    enum { RADIUS = 3 };
    const bool edge = label == XR_MASK_IGNORED, reference = other == XR_MASK_IGNORED;
    const float own = edge ? other : label;
    for (long dy = -RADIUS; edge != reference && dy <= RADIUS; dy++)
        for (long dx = -RADIUS; dx <= RADIUS; dx++) {
            const float near = edge ? label_at(m, x + dx, y + dy) : edge_at(m, x + dx, y + dy, own);
            if (near >= 0 && near != own)
                return true;
        }
    return false;
}

bool xr_is_exact_mask(const xr_stage_frame *frame)
{
    return frame->exact && frame->side[0].count == frame->side[1].count;
}

bool xr_mask_add(const xr_stage_series *series, size_t f, const xr_mask_rule *rule, size_t step,
                 xr_mask_sums *sums)
{
    long from = (long)f - rule->lag;
    if (from < 0 || (size_t)from >= series->count)
        return false;
    const xr_stage_values *edge = &series->frame[f].side[0], *reference = &series->frame[from].side[1];
    if (edge->rank != 2 || reference->rank != 2)
        return false;
    map_view m = {reference, rule, edge->shape[1], edge->shape[0], edge->value};
    /* Noise moves borders by a pixel or two. */
    long radius = xr_is_exact_mask(&series->frame[f]) ? 1 : 2;
    for (size_t y = 0; y < m.height; y += step)
        for (size_t x = 0; x < m.width; x += step) {
            float label = edge->value[y * m.width + x], other = label_at(&m, (long)x, (long)y);
            if (other < 0 || (rule->ignore && is_uncertain(&m, (long)x, (long)y, label, other)))
                continue;
            sums->pixels++;
            sums->front += label != rule->background || other != rule->background;
            if (label == other)
                continue;
            sums->other++;
            sums->off += !is_near(&m, (long)x, (long)y, label, radius);
        }
    return true;
}

bool xr_mask_fits(const xr_mask_sums *sums, bool exact)
{
    double off = exact ? 0.002 : 0.01, all = exact ? 0.03 : 0.12, of_front = exact ? 0.02 : 0.1;
    return sums->pixels > 0 && sums->off <= off * sums->pixels && sums->other <= all * sums->pixels &&
           sums->off <= of_front * sums->front + 4;
}
