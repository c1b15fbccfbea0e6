/* How two tensors' shapes correspond. */
#include "compare/match/shapes.h"

#include <string.h>

uint32_t xr_squeeze(const exray_tensor_info *info, int64_t shape[EXRAY_MAX_RANK])
{
    uint32_t rank = 0;
    for (uint32_t i = 0; i < info->rank && i < EXRAY_MAX_RANK; i++)
        if (info->shape[i] != 1)
            shape[rank++] = info->shape[i];
    return rank;
}

static bool is_last_to_first(const int64_t *x, const int64_t *y)
{
    return x[2] == y[0] && x[0] == y[1] && x[1] == y[2];
}

/* [.., 2, n] and [.., 2 n]: the two directions of a recurrent layer beside each other, or one behind the
 * other. */
static bool is_of_directions(const int64_t *longer, const int64_t *shorter, uint32_t rank)
{
    return rank > 1 && longer[rank - 1] == 2 && shorter[rank - 1] == 2 * longer[rank] &&
           memcmp(longer, shorter, (rank - 1) * sizeof *longer) == 0;
}

uint32_t xr_layout_ways(const exray_tensor_info *edge, const exray_tensor_info *reference,
                        xr_layout_match way[XR_LAYOUT_WAYS])
{
    int64_t a[EXRAY_MAX_RANK], b[EXRAY_MAX_RANK];
    uint32_t ra = xr_squeeze(edge, a), rb = xr_squeeze(reference, b), ways = 0;
    if (ra == rb && memcmp(a, b, ra * sizeof *a) == 0)
        way[ways++] = XR_LAYOUT_SAME;
    else if (ra == 1 || rb == 1)
        way[ways++] = XR_LAYOUT_SAME; /* flattened: the counts decide */
    else if ((ra == rb + 1 && is_of_directions(a, b, rb)) || (rb == ra + 1 && is_of_directions(b, a, ra)))
        way[ways++] = XR_LAYOUT_SAME;
    if (ra != rb || ra < 2)
        return ways;
    if (ra == 3 || (ra == 4 && a[0] == b[0])) {
        const int64_t *x = a + (ra - 3), *y = b + (ra - 3);
        if (is_last_to_first(x, y))
            way[ways++] = XR_LAYOUT_EDGE_LAST;
        if (is_last_to_first(y, x))
            way[ways++] = XR_LAYOUT_EDGE_FIRST;
    }
    if (a[ra - 1] == b[ra - 2] && a[ra - 2] == b[ra - 1] && memcmp(a, b, (ra - 2) * sizeof *a) == 0)
        way[ways++] = XR_LAYOUT_SWAPPED;
    return ways;
}

xr_layout_match xr_match_layout(const exray_tensor_info *edge, const exray_tensor_info *reference)
{
    xr_layout_match way[XR_LAYOUT_WAYS];
    return xr_layout_ways(edge, reference, way) ? way[0] : XR_LAYOUT_NONE;
}

/* What xr_convert_layout turns: blocks of rows and columns. */
static void block_of(const exray_tensor_info *edge, xr_layout_match how, uint64_t *rows, uint64_t *columns)
{
    int64_t shape[EXRAY_MAX_RANK] = {0};
    uint32_t rank = xr_squeeze(edge, shape);
    const int64_t *s = shape + (rank - (how == XR_LAYOUT_SWAPPED ? 2 : 3));
    uint64_t first = (uint64_t)s[0], second = (uint64_t)s[1];
    uint64_t third = how == XR_LAYOUT_SWAPPED ? 1 : (uint64_t)s[2];
    *rows = how == XR_LAYOUT_EDGE_LAST ? first * second : first;
    *columns = how == XR_LAYOUT_EDGE_LAST ? third : second * third;
}

uint64_t xr_layout_element(const exray_tensor_info *edge, xr_layout_match how, uint64_t at)
{
    if (how == XR_LAYOUT_SAME)
        return at;
    uint64_t rows, columns;
    block_of(edge, how, &rows, &columns);
    uint64_t within = at % (rows * columns);
    return at - within + within % rows * columns + within / rows;
}

/* [n][rows][columns] to [n][columns][rows]; the values need no alignment. */
static void transpose(const float *in, float *out, uint64_t n, uint64_t rows, uint64_t columns)
{
    for (uint64_t k = 0; k < n; k++, in += rows * columns, out += rows * columns)
        for (uint64_t r = 0; r < rows; r++)
            for (uint64_t c = 0; c < columns; c++)
                memcpy(&out[c * rows + r], (const char *)in + (r * columns + c) * sizeof *in, sizeof *in);
}

void xr_convert_layout(const exray_tensor_info *edge, const float *values, xr_layout_match how, float *out)
{
    int64_t shape[EXRAY_MAX_RANK] = {0};
    uint32_t rank = xr_squeeze(edge, shape);
    if (how == XR_LAYOUT_SWAPPED) {
        uint64_t before = 1;
        for (uint32_t i = 0; i + 2 < rank; i++)
            before *= (uint64_t)shape[i];
        transpose(values, out, before, (uint64_t)shape[rank - 2], (uint64_t)shape[rank - 1]);
        return;
    }
    const int64_t *s = shape + (rank - 3);
    uint64_t batch = rank == 4 ? (uint64_t)shape[0] : 1;
    if (how == XR_LAYOUT_EDGE_LAST)
        transpose(values, out, batch, (uint64_t)s[0] * (uint64_t)s[1], (uint64_t)s[2]);
    else
        transpose(values, out, batch, (uint64_t)s[0], (uint64_t)s[1] * (uint64_t)s[2]);
}

xr_engine_order xr_order_of_engine(const exray_model *model)
{
    static const struct {
        const char *engine;
        xr_engine_order order;
    } known[] = {{"onnx", XR_ORDER_FIRST},  {"torch", XR_ORDER_FIRST}, {"tflite", XR_ORDER_LAST},
                 {"litert", XR_ORDER_LAST}, {"keras", XR_ORDER_LAST},  {"tensorflow", XR_ORDER_LAST}};
    for (size_t i = 0; model && model->engine && i < sizeof known / sizeof *known; i++)
        if (strstr(model->engine, known[i].engine))
            return known[i].order;
    return XR_ORDER_UNKNOWN;
}

bool xr_layouts_may_differ(const exray_model *edge, const exray_model *reference)
{
    xr_engine_order a = xr_order_of_engine(edge), b = xr_order_of_engine(reference);
    return a != XR_ORDER_UNKNOWN && b != XR_ORDER_UNKNOWN && a != b;
}
