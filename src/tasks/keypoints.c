/* Keypoints: points of a body, a hand or a face.  Which numbers are x, which y and in what unit, a head says,
 * or the application, which tells them. */
#include "tasks/builtin_tasks.h"
#include "tasks/heads/find_head.h"
#include "tasks/task_shared.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OBJECTS = 64, COCO = 17 };

static bool fits(const exray_task_options *options, const exray_tensor_info *const *outputs, size_t count,
                 char *why, size_t why_size)
{
    return xr_head_fits(
        options, "keypoints",
        "task keypoints needs to know how outputs are read, such as `output: {head: points, classes: 39}`; "
        "no /result is written",
        outputs, count, why, why_size);
}

static exray_status decide(const exray_task_options *options, const exray_task_output *outputs, size_t count,
                           exray_told *told, exray_result *out, exray_error *error)
{
    return xr_head_decide(options, "keypoints", outputs, count, told, out, error);
}

static bool has(const exray_result *result)
{
    return result->keypoint_count > 0;
}

/* ---- Measures ----
 * PCK: the share of the other side's points that lie within a tenth of its object's size (the longer side of
 * the box around its points).  OKS: as COCO defines it, exp(-d^2 / (2 s^2 k^2)) with s^2 the area of that box
 * and k twice the deviation of COCO's 17 points, else 0.1.  Objects are paired the nearest first. */

static const double coco_deviation[COCO] = {.026, .025, .025, .035, .035, .079, .079, .072, .072,
                                            .062, .062, .107, .107, .087, .087, .089, .089};

typedef struct object {
    const exray_keypoint *point;
    uint32_t count;
    double size, area;
} object;

/* Each begins where the ids do not rise. */
static uint32_t objects_of(const exray_result *result, object out[MOST_OBJECTS])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < result->keypoint_count; i++) {
        const exray_keypoint *p = &result->keypoints[i];
        if (i == 0 || p->id <= p[-1].id) {
            if (count == MOST_OBJECTS)
                break;
            out[count++] = (object){.point = p};
        }
        out[count - 1].count++;
    }
    for (uint32_t k = 0; k < count; k++) {
        double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
        for (uint32_t i = 0; i < out[k].count; i++) {
            const double at[2] = {out[k].point[i].x, out[k].point[i].y};
            for (int d = 0; d < 2; d++) {
                low[d] = fmin(low[d], at[d]);
                high[d] = fmax(high[d], at[d]);
            }
        }
        out[k].size = fmax(high[0] - low[0], high[1] - low[1]);
        out[k].area = fmax(high[0] - low[0], 1e-3) * fmax(high[1] - low[1], 1e-3);
    }
    return count;
}

/* The mean distance of points of one id; INFINITY: they share none. */
static double distance_of(const object *a, const object *b, double *near, double *oks, double *points)
{
    double sum = 0;
    *near = *oks = *points = 0;
    for (uint32_t i = 0, k = 0; i < b->count; i++) {
        while (k < a->count && a->point[k].id < b->point[i].id)
            k++;
        if (b->point[i].score == 0)
            continue;
        ++*points;
        if (k == a->count || a->point[k].id != b->point[i].id)
            continue;
        const double x = (double)a->point[k].x - b->point[i].x, y = (double)a->point[k].y - b->point[i].y;
        const double square = x * x + y * y;
        const int64_t id = b->point[i].id;
        const double kappa = b->count == COCO && id >= 0 && id < COCO ? 2 * coco_deviation[id] : 0.1;
        *near += sqrt(square) <= 0.1 * b->size;
        *oks += isfinite(square) ? exp(-square / (2 * b->area * kappa * kappa)) : 0;
        sum += sqrt(square);
    }
    return *points > 0 && !isnan(sum) ? sum / *points : INFINITY;
}

typedef struct point_sums {
    xr_task_mean pck, oks;
} point_sums;

static void *begin(const exray_task_options *options)
{
    (void)options;
    return calloc(1, sizeof(point_sums));
}

/* Objects that show a point; the others do not count, as in COCO. */
static uint32_t shown(const object *objects, uint32_t count)
{
    uint32_t some = 0;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < objects[i].count; k++)
            if (objects[i].point[k].score != 0) {
                some++;
                break;
            }
    return some;
}

static void compare(void *state, const exray_result *told, const exray_result *other)
{
    point_sums *sums = state;
    object a[MOST_OBJECTS], b[MOST_OBJECTS];
    const uint32_t n[2] = {objects_of(told, a), objects_of(other, b)};
    bool taken[MOST_OBJECTS] = {false};
    double near = 0, points = 0, oks = 0;
    for (uint32_t i = 0; i < n[1]; i++) {
        double best = INFINITY, its[3] = {0}, all = 0;
        uint32_t which = n[0];
        for (uint32_t k = 0; k < n[0]; k++) {
            double one[3];
            const double distance = distance_of(&a[k], &b[i], &one[0], &one[1], &one[2]);
            if (!taken[k] && distance < best) {
                best = distance;
                which = k;
                for (int j = 0; j < 3; j++)
                    its[j] = one[j];
            }
        }
        for (uint32_t k = 0; k < b[i].count; k++)
            all += b[i].point[k].score != 0;
        if (which < n[0])
            taken[which] = true;
        near += its[0];
        oks += all > 0 ? its[1] / all : 0;
        points += all;
    }
    if (n[1] == 0 || points == 0)
        return;
    xr_task_add(&sums->pck, near, points);
    xr_task_add(&sums->oks, oks, fmax(shown(a, n[0]), shown(b, n[1])));
}

static size_t measure(const void *state, exray_task_measure *out, size_t most)
{
    const point_sums *sums = state;
    if (most < 2)
        return 0;
    out[0] = xr_task_measure_of(&sums->pck, "pck", "share", true);
    out[1] = xr_task_measure_of(&sums->oks, "oks", "share", true);
    return 2;
}

const exray_task xr_task_keypoints = {
    sizeof(exray_task), "keypoints", fits, decide, has, begin, compare, measure, free};
