/* Nodes in an order in which each comes after those whose tensors it reads, those of its bodies among them.
 *
 * ONNX demands it, and yet tools write files in which a branch stands before what its body takes from outside
 * (ONNX Runtime's quantizer sorts by the listed inputs alone); engines sort such files by themselves. */
#include "models/onnx/onnx.h"

typedef enum visit {
    NEW,
    OPEN, /* what it reads is being placed */
    PLACED,
} visit;

typedef struct order {
    const xr_onnx *onnx;
    uint32_t *place; /* [count] the node at each position */
    uint32_t placed;
    visit *state;   /* [nodes] */
    uint32_t *path; /* [nodes] those that are open */
    uint32_t *next; /* [nodes] the next input to look at */
} order;

/* The node that makes input k of a node, or EXRAY_NO_INDEX. */
static uint32_t maker_of(const order *o, uint32_t node, uint32_t k)
{
    uint32_t tensor = xr_onnx_node_at(o->onnx, node)->inputs[k];
    return tensor == EXRAY_NO_INDEX ? EXRAY_NO_INDEX : xr_onnx_at(o->onnx, tensor)->maker;
}

static bool is_in_order(const xr_onnx *onnx)
{
    const order o = {.onnx = onnx};
    for (uint32_t n = 0; n < onnx->nodes.count; n++)
        for (uint32_t k = 0; k < xr_onnx_node_at(onnx, n)->input_count; k++) {
            uint32_t maker = maker_of(&o, n, k);
            if (maker != EXRAY_NO_INDEX && maker >= n)
                return false;
        }
    return true;
}

/* Places a node behind all that it needs; false: it needs itself. */
static bool place(order *o, uint32_t node)
{
    uint32_t depth = 0;
    if (o->state[node] == PLACED)
        return true;
    o->path[depth++] = node;
    o->state[node] = OPEN;
    while (depth) {
        uint32_t at = o->path[depth - 1], maker = EXRAY_NO_INDEX;
        while (o->next[at] < xr_onnx_node_at(o->onnx, at)->input_count) {
            maker = maker_of(o, at, o->next[at]++);
            if (maker != EXRAY_NO_INDEX && o->state[maker] != PLACED)
                break;
            maker = EXRAY_NO_INDEX;
        }
        if (maker == EXRAY_NO_INDEX) {
            o->state[at] = PLACED;
            o->place[o->placed++] = at;
            depth--;
        } else if (o->state[maker] == OPEN)
            return false;
        else {
            o->state[maker] = OPEN;
            o->path[depth++] = maker;
        }
    }
    return true;
}

/* Moves nodes, and what is known of them, to their places. */
static bool move(xr_onnx *onnx, const uint32_t *place)
{
    size_t count = onnx->nodes.count;
    exray_node *nodes = xr_onnx_alloc(onnx, count, sizeof *nodes);
    xr_onnx_node *extra = xr_onnx_alloc(onnx, count, sizeof *extra);
    uint32_t *now = xr_onnx_alloc(onnx, count, sizeof *now);
    if (!nodes || !extra || !now)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        nodes[i] = *xr_onnx_node_at(onnx, place[i]);
        extra[i] = *xr_onnx_extra(onnx, place[i]);
        now[place[i]] = i;
    }
    for (uint32_t i = 0; i < count; i++) {
        *xr_onnx_node_at(onnx, i) = nodes[i];
        *xr_onnx_extra(onnx, i) = extra[i];
    }
    for (uint32_t t = 0; t < onnx->tensors.count; t++)
        if (xr_onnx_at(onnx, t)->maker != EXRAY_NO_INDEX)
            xr_onnx_at(onnx, t)->maker = now[xr_onnx_at(onnx, t)->maker];
    return true;
}

bool xr_onnx_sort(xr_onnx *onnx)
{
    if (is_in_order(onnx))
        return true;
    size_t count = onnx->nodes.count;
    order o = {
        .onnx = onnx,
        .place = xr_onnx_alloc(onnx, count, sizeof *o.place),
        .state = xr_onnx_alloc(onnx, count, sizeof *o.state),
        .path = xr_onnx_alloc(onnx, count, sizeof *o.path),
        .next = xr_onnx_alloc(onnx, count, sizeof *o.next),
    };
    if (!o.place || !o.state || !o.path || !o.next)
        return false;
    for (uint32_t n = 0; n < count; n++)
        if (!place(&o, n))
            return true; /* a circle: no order is right */
    return move(onnx, o.place);
}
