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

xr_layout_match xr_clip_layout(const exray_tensor_info *edge, const exray_tensor_info *reference)
{
    int64_t a[EXRAY_MAX_RANK], b[EXRAY_MAX_RANK];
    const uint32_t rank = xr_squeeze(edge, a);
    if (xr_squeeze(reference, b) != rank || rank < 4 || memcmp(a, b, (rank - 4) * sizeof *a) != 0)
        return XR_LAYOUT_NONE;
    const int64_t *x = a + (rank - 4), *y = b + (rank - 4);
    if (x[3] == y[0] && memcmp(x, y + 1, 3 * sizeof *x) == 0)
        return XR_LAYOUT_CLIP_LAST;
    if (y[3] == x[0] && memcmp(y, x + 1, 3 * sizeof *x) == 0)
        return XR_LAYOUT_CLIP_FIRST;
    return x[0] == y[1] && x[1] == y[0] && memcmp(x + 2, y + 2, 2 * sizeof *x) == 0 ? XR_LAYOUT_CLIP_EXCHANGED
                                                                                    : XR_LAYOUT_NONE;
}

xr_layout_match xr_layout_reversed(xr_layout_match how)
{
    static const xr_layout_match reversed[] = {
        [XR_LAYOUT_NONE] = XR_LAYOUT_NONE,
        [XR_LAYOUT_SAME] = XR_LAYOUT_SAME,
        [XR_LAYOUT_EDGE_LAST] = XR_LAYOUT_EDGE_FIRST,
        [XR_LAYOUT_EDGE_FIRST] = XR_LAYOUT_EDGE_LAST,
        [XR_LAYOUT_SWAPPED] = XR_LAYOUT_SWAPPED,
        [XR_LAYOUT_CLIP_LAST] = XR_LAYOUT_CLIP_FIRST,
        [XR_LAYOUT_CLIP_FIRST] = XR_LAYOUT_CLIP_LAST,
        [XR_LAYOUT_CLIP_EXCHANGED] = XR_LAYOUT_CLIP_EXCHANGED,
    };
    return reversed[how];
}

/* What is turned: the edge's [before][rows][columns][run] is the reference's [before][columns][rows][run]. */
typedef struct turned_block {
    uint64_t before, rows, columns, run;
} turned_block;

static uint64_t product(const int64_t *shape, uint32_t count)
{
    uint64_t n = 1;
    for (uint32_t i = 0; i < count; i++)
        n *= (uint64_t)shape[i];
    return n;
}

static turned_block block_of(const exray_tensor_info *edge, xr_layout_match how)
{
    int64_t shape[EXRAY_MAX_RANK] = {0};
    const uint32_t rank = xr_squeeze(edge, shape), own = how == XR_LAYOUT_SWAPPED     ? 2
                                                         : how >= XR_LAYOUT_CLIP_LAST ? 4
                                                                                      : 3;
    const int64_t *s = shape + (rank - own);
    const uint64_t before = product(shape, rank - own);
    if (how == XR_LAYOUT_CLIP_EXCHANGED)
        return (turned_block){before, product(s, 1), product(s + 1, 1), product(s + 2, 2)};
    if (how == XR_LAYOUT_EDGE_LAST || how == XR_LAYOUT_CLIP_LAST)
        return (turned_block){before, product(s, own - 1), product(s + own - 1, 1), 1};
    return (turned_block){before, product(s, 1), product(s + 1, own - 1), 1};
}

uint64_t xr_layout_element(const exray_tensor_info *edge, xr_layout_match how, uint64_t at)
{
    if (how == XR_LAYOUT_SAME)
        return at;
    const turned_block b = block_of(edge, how);
    const uint64_t within = at % (b.rows * b.columns * b.run), run = within / b.run;
    return at - within + (run % b.rows * b.columns + run / b.rows) * b.run + within % b.run;
}

/* The values need no alignment.  run: b->run; where it is known here, a copy is an instruction, and no
 * call. */
static inline void turn(const turned_block *b, uint64_t run, const float *values, float *out)
{
    const uint64_t rows = b->rows, columns = b->columns, size = rows * columns * run;
    const char *in = (const char *)values;
    for (uint64_t k = 0; k < b->before; k++, in += size * sizeof *out, out += size)
        for (uint64_t r = 0; r < rows; r++)
            for (uint64_t c = 0; c < columns; c++)
                memcpy(&out[(c * rows + r) * run], in + (r * columns + c) * run * sizeof *out,
                       run * sizeof *out);
}

void xr_convert_layout(const exray_tensor_info *edge, const float *values, xr_layout_match how, float *out)
{
    const turned_block b = block_of(edge, how);
    if (b.run == 1)
        turn(&b, 1, values, out);
    else
        turn(&b, b.run, values, out);
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
