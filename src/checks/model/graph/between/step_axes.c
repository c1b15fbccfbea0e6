#include "checks/model/graph/between/step_axes.h"

#include "checks/model/graph/node_facts.h"

#include <string.h>

enum { MOST_DIMENSIONS = 5, MOST_AXES = 8 };

/* The numbers of each dimension, `count` a multiple of the rank. */
static bool are_same_numbers(const double *p, const double *q, size_t count, uint32_t rank,
                             const uint32_t *order)
{
    for (size_t i = 0; i < count; i++)
        if (q[i] != p[i / rank * rank + order[i % rank]])
            return false;
    return true;
}

/* One bit for each axis; 0: one is none. */
static unsigned axis_set(const double *axis, size_t count, uint32_t rank, const uint32_t *order)
{
    unsigned set = 0;
    for (size_t i = 0; i < count; i++) {
        double at = axis[i] < 0 ? axis[i] + rank : axis[i];
        if (!(at >= 0 && at < rank) || at != (double)(uint32_t)at)
            return 0;
        set |= 1u << (order ? order[(uint32_t)at] : (uint32_t)at);
    }
    return set;
}

/* order[i]: the dimension of a that is dimension i of b. */
static bool fits(const exray_tensor_info *a, const double *p, const exray_tensor_info *b, const double *q,
                 size_t count, const uint32_t *order)
{
    uint32_t rank = a->rank;
    for (uint32_t i = 0; i < rank; i++)
        if (a->shape[order[i]] != b->shape[i])
            return false;
    if (count % rank == 0 && are_same_numbers(p, q, count, rank, order))
        return true;
    unsigned axes = count <= rank ? axis_set(p, count, rank, NULL) : 0;
    return axes && axes == axis_set(q, count, rank, order);
}

static bool are_moved(const exray_tensor_info *a, const double *p, const exray_tensor_info *b,
                      const double *q, size_t count)
{
    if (!a || !b || count == 0 || a->rank != b->rank || a->rank < 2 || a->rank > MOST_DIMENSIONS)
        return false;
    bool equal = true;
    uint32_t rank = a->rank, orders = 1;
    for (uint32_t i = 0; i < rank; i++) {
        equal = equal && a->shape[i] == b->shape[i];
        orders *= i + 1;
    }
    for (uint32_t k = 0; !equal && k < orders; k++) {
        uint32_t left[MOST_DIMENSIONS], order[MOST_DIMENSIONS], rest = k;
        for (uint32_t i = 0; i < rank; i++)
            left[i] = i;
        for (uint32_t i = 0; i < rank; i++) { /* the k-th order: a digit for each place */
            uint32_t choice = rest % (rank - i);
            rest /= rank - i;
            order[i] = left[choice];
            left[choice] = left[rank - i - 1];
        }
        if (fits(a, p, b, q, count, order))
            return true;
    }
    return false;
}

bool xr_axes_are_moved(const xr_step_graph side[2], const xr_op_step *a, const xr_op_step *b, const double *p,
                       const double *q, size_t count)
{
    return a->input_count && b->input_count &&
           are_moved(xr_step_graph_info(&side[0], a->input[0]), p, xr_step_graph_info(&side[1], b->input[0]),
                     q, count);
}

bool xr_attribute_is_moved(const xr_step_graph side[2], const xr_op_step *a, const xr_op_step *b,
                           const char *key)
{
    double p[MOST_AXES], q[MOST_AXES];
    if (strcmp(key, "axes") != 0 && strcmp(key, "axis") != 0)
        return false;
    size_t count = xr_attribute_numbers(a->node, key, p, MOST_AXES);
    return count && count <= MOST_AXES && count == xr_attribute_numbers(b->node, key, q, MOST_AXES) &&
           xr_axes_are_moved(side, a, b, p, q, count);
}
