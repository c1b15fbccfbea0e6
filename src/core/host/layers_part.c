/* The part that knows layers by their names: config.layers ("Conv*,#12,#3-9"), and the names that
 * the channels of layers have in their metadata. */
#include "core/encode/sink.h"
#include "core/parts.h"

enum { NAMES = 64 << 10, MOST_NAME = 1000 }; /* bytes */

typedef struct xr_layer_list {
    char *list;        /* a copy of config.layers, or NULL: all */
    xr_name_pool pool; /* the names */
    uint32_t *name;    /* [count], offsets in the pool; NO_INDEX: not kept */
    uint32_t *op;      /* [count] */
    uint32_t count;    /* how many nodes have an entry */
    uint32_t max;
} xr_layer_list;

/* ---- The list ------------------------------------------------------------------- */

/* Whether `name` matches `pattern`, size bytes long, with * and ?. */
static bool matches(const char *pattern, size_t size, const char *name)
{
    /* On a mismatch, the last star swallows one character more: no recursion. */
    size_t p = 0, star = size;
    const char *retry = NULL;
    while (*name) {
        if (p < size && pattern[p] == '*') {
            star = p++;
            retry = name;
        } else if (p < size && (pattern[p] == '?' || pattern[p] == *name)) {
            p++;
            name++;
        } else if (retry) {
            p = star + 1;
            name = ++retry;
        } else {
            return false;
        }
    }
    while (p < size && pattern[p] == '*')
        p++;
    return p == size;
}

/* Reads a decimal number of at most 32 bits; false: there is none. */
static bool read_index(const char **at, const char *end, uint32_t *out)
{
    uint64_t value = 0;
    const char *begin = *at;
    while (*at < end && **at >= '0' && **at <= '9' && value <= UINT32_MAX)
        value = value * 10 + (uint64_t)(*(*at)++ - '0');
    *out = (uint32_t)value;
    return *at > begin && value <= UINT32_MAX;
}

/* "#12" or "#3-9". */
static bool read_range(const char *at, const char *end, uint32_t *first, uint32_t *last)
{
    at++;
    if (!read_index(&at, end, first))
        return false;
    *last = *first;
    if (at < end && *at == '-') {
        at++;
        if (!read_index(&at, end, last))
            return false;
    }
    return at == end && *first <= *last;
}

/* The next item of the list, without spaces around it; false: that was the last. */
static bool next_item(const char **list, const char **begin, const char **end)
{
    if (!*list)
        return false;
    const char *comma = strchr(*list, ',');
    *begin = *list;
    *end = comma ? comma : *list + strlen(*list);
    *list = comma ? comma + 1 : NULL;
    while (*begin < *end && **begin == ' ')
        ++*begin;
    while (*begin < *end && (*end)[-1] == ' ')
        --*end;
    return true;
}

static const char *kept(const xr_layer_list *layers, const uint32_t *offsets, uint32_t node)
{
    if (node >= layers->count || offsets[node] == EXRAY_NO_INDEX)
        return NULL;
    return layers->pool.bytes + offsets[node];
}

static bool take(const xr_layer_list *layers, uint32_t index, const char *name)
{
    const char *begin, *end, *list = layers->list;
    uint32_t first, last;
    const char *kept_name = kept(layers, layers->name, index);
    if (!list)
        return true;
    if (kept_name)
        name = kept_name;
    while (next_item(&list, &begin, &end)) {
        if (begin < end && *begin == '#') {
            if (read_range(begin, end, &first, &last) && index >= first && index <= last)
                return true;
        } else if (name && matches(begin, (size_t)(end - begin), name)) {
            return true;
        }
    }
    return false;
}

static const char *problem(const char *layers)
{
    const char *begin, *end;
    uint32_t first, last;
    while (next_item(&layers, &begin, &end)) {
        if (begin == end)
            return "config.layers has an empty item; write names and indices such as \"Conv*,#12,#3-9\"";
        if (*begin == '#' && !read_range(begin, end, &first, &last))
            return "config.layers has a bad index range; write \"#12\" or \"#3-9\"";
    }
    return NULL;
}

/* ---- The names ------------------------------------------------------------------ */

static uint32_t keep_string(xr_name_pool *pool, const char *text)
{
    if (!text || !*text || strlen(text) > MOST_NAME)
        return EXRAY_NO_INDEX;
    const char *copy = xr_pool_add(pool, text);
    return copy ? (uint32_t)(copy - pool->bytes) : EXRAY_NO_INDEX;
}

/* The node's name, else that of its first output. */
static const char *name_of(const exray_model *model, const exray_node *node)
{
    if (node->name && *node->name)
        return node->name;
    if (node->output_count && node->outputs[0] < model->tensor_count)
        return model->tensors[node->outputs[0]].name;
    return NULL;
}

/* Models have many nodes and few ops: the same op is kept once. */
static uint32_t keep_op(xr_layer_list *layers, uint32_t nodes, const char *op)
{
    if (!op)
        return EXRAY_NO_INDEX;
    for (uint32_t i = nodes; i-- > 0;)
        if (layers->op[i] != EXRAY_NO_INDEX && strcmp(layers->pool.bytes + layers->op[i], op) == 0)
            return layers->op[i];
    return keep_string(&layers->pool, op);
}

static void keep_names(xr_layer_list *layers, const exray_model *model)
{
    const uint32_t count = model->node_count < layers->max ? model->node_count : layers->max;
    for (uint32_t i = 0; i < count; i++) {
        layers->op[i] = keep_op(layers, i, model->nodes[i].op);
        layers->name[i] = keep_string(&layers->pool, name_of(model, &model->nodes[i]));
    }
    layers->count = count;
}

static void put_pair(xr_sink *sink, const char *key, const char *value)
{
    if (value) {
        xr_put_string(sink, key);
        xr_put_string(sink, value);
    }
}

static void put_names(xr_sink *sink, const xr_layer_list *layers, uint32_t node)
{
    put_pair(sink, "name", kept(layers, layers->name, node));
    put_pair(sink, "op", kept(layers, layers->op, node));
}

/* ---- The part ------------------------------------------------------------------- */

static xr_layer_list *place(const exray_recorder_config *config, uint32_t max_channels,
                            xr_memory_block *block)
{
    const size_t list_size = config->layers && *config->layers ? strlen(config->layers) + 1 : 0;
    /* A recorder of few channels is one of little memory. */
    const size_t names_size = max_channels < 512 ? (size_t)max_channels * 128 : NAMES;
    xr_layer_list *layers = xr_block_take(block, 1, sizeof *layers);
    char *list = xr_block_take(block, list_size, 1);
    char *bytes = xr_block_take(block, names_size, 1);
    uint32_t *name = xr_block_take(block, max_channels, sizeof *name);
    uint32_t *op = xr_block_take(block, max_channels, sizeof *op);
    if (layers)
        *layers = (xr_layer_list){.list = list_size ? memcpy(list, config->layers, list_size) : NULL,
                                  .pool = {bytes, 0, names_size},
                                  .name = name,
                                  .op = op,
                                  .max = max_channels};
    return layers;
}

const exray_layers_part *exray_layers_part_default(void)
{
    static const exray_layers_part part = {problem, place, keep_names, put_names, take};
    return &part;
}
