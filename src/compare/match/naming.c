#include "compare/match/naming.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef struct layer_name {
    const char *name;
    size_t length; /* without what exporters add */
    bool inserted; /* the name is that of another tensor, which an engine converted; see inserted_length */
    uint32_t layer;
} layer_name;

/* ONNX Runtime, where it computes a float16 model in float32, names tensors after those of the file. */
static size_t inserted_length(const char *name)
{
    static const char prefix[] = "InsertedPrecisionFreeCast_";
    return strncmp(name, prefix, sizeof prefix - 1) == 0 ? sizeof prefix - 1 : 0;
}

/* Exporters and quantizers append to a tensor's name how it is stored. */
static size_t bare_length(const char *name)
{
    static const char *const endings[] = {"_QuantizeLinear_Output",
                                          "_DequantizeLinear_Output",
                                          "_QuantizeLinear_Input",
                                          "_DequantizeLinear_Input",
                                          "_quantized",
                                          "_dequantized",
                                          "_int8",
                                          "_uint8",
                                          ":0"};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t n = strlen(endings[i]);
        if (length > n && memcmp(name + length - n, endings[i], n) == 0)
            return length - n;
    }
    return length;
}

static int by_name(const void *left, const void *right)
{
    const layer_name *a = left, *b = right;
    size_t shorter = a->length < b->length ? a->length : b->length;
    int order = memcmp(a->name, b->name, shorter);
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

static int by_name_and_origin(const void *left, const void *right)
{
    const layer_name *a = left, *b = right;
    int order = by_name(a, b);
    return order ? order : (int)a->inserted - (int)b->inserted;
}

static int by_part(const void *left, const void *right)
{
    const xr_name_part *a = left, *b = right;
    const size_t shorter = a->length < b->length ? a->length : b->length;
    const int order = memcmp(a->name, b->name, shorter);
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

/* Sorts, and drops names that occur more than once: they identify nothing. */
static size_t keep_unique(layer_name *list, size_t count)
{
    qsort(list, count, sizeof *list, by_name_and_origin);
    size_t kept = 0;
    for (size_t i = 0, next; i < count; i = next) {
        for (next = i + 1; next < count && by_name(&list[i], &list[next]) == 0; next++)
            ;
        if (next == i + 1 || (!list[i].inserted && list[i + 1].inserted))
            list[kept++] = list[i];
    }
    return kept;
}

/* ---- Numbers for names -------------------------------------------------------------------------- */

/* "_token_16", which ends in a number: ONNX Runtime counts the tensors that it adds.  NULL: it is none. */
static const char *token_in(const char *name)
{
    const char *token = strstr(name, "_token_");
    return token && isdigit((unsigned char)token[strlen("_token_")]) ? token : NULL;
}

static bool is_counted_by_engine(const char *name)
{
    return token_in(name) != NULL;
}

/* Names without their numbers, of both sides: the first of a series has none. */
static bool note_series(xr_naming *s, const xr_layers side[2])
{
    s->series = calloc((size_t)side[0].count + side[1].count + 1, sizeof *s->series);
    for (int k = 0; s->series && k < 2; k++)
        for (uint32_t i = 0; i < side[k].count; i++) {
            const xr_layer *layer = &side[k].layer[i];
            const char *name = layer->tensor && layer->tensor->name ? layer->tensor->name : "";
            const size_t inserted = inserted_length(name);
            const char *token = token_in(name + inserted);
            if (token)
                s->series[s->series_count++] =
                    (xr_name_part){name + inserted, (size_t)(token - name) - inserted};
        }
    if (s->series)
        qsort(s->series, s->series_count, sizeof *s->series, by_part);
    return s->series != NULL;
}

static bool is_first_of_series(const xr_naming *s, const char *name)
{
    const xr_name_part part = {name, strlen(name)};
    return s->series_count && bsearch(&part, s->series, s->series_count, sizeof part, by_part) != NULL;
}

static bool is_numbered(const xr_naming *s, const xr_layer *layer)
{
    const char *name = layer->tensor ? layer->tensor->name : NULL, *op = layer->op->op;
    if (!name || !*name)
        return false;
    const char *begin = name += inserted_length(name);
    if (is_counted_by_engine(name) || is_first_of_series(s, name))
        return true;
    if (s->one_file || strchr(name, '/'))
        return false; /* numbers within a scope that has a name */
    for (; op && *op && tolower((unsigned char)*name) == tolower((unsigned char)*op); name++)
        op++;
    name += *name == '_';
    size_t digits = strspn(name, "0123456789");
    return op && (!*op || name == begin) && digits && !name[digits];
}

/* ---- Lists of names ------------------------------------------------------------------------------ */

/* BY_FILE: by the file's name for what a node makes: that of the node, where the engine gave the tensor one
 * of its own (a quantizer's conversions moved), else that of the tensor. */
typedef enum naming { BY_TENSOR, BY_BARE_TENSOR, BY_FILE, BY_NODE, NAMINGS } naming;

/* PyTorch's exporter names a tensor after its node. */
static size_t file_length(const char *name)
{
    static const char ending[] = "_output_0";
    const size_t length = strlen(name), n = sizeof ending - 1;
    return length > n && strcmp(name + length - n, ending) == 0 ? length - n : length;
}

static const char *name_of(const xr_layer *layer, naming how)
{
    const char *tensor = layer->tensor ? layer->tensor->name : NULL;
    bool of_node = how == BY_NODE || (how == BY_FILE && tensor && is_counted_by_engine(tensor));
    return of_node ? layer->op->name : tensor;
}

static size_t length_of(const char *name, naming how)
{
    return how == BY_BARE_TENSOR ? bare_length(name) : how == BY_FILE ? file_length(name) : strlen(name);
}

static size_t list_names(const xr_naming *s, const xr_layers *layers, naming how, layer_name *list)
{
    size_t count = 0;
    for (uint32_t i = 0; i < layers->count; i++) {
        const xr_layer *layer = &layers->layer[i];
        const char *name = name_of(layer, how);
        /* A node's name is the name of its first output. */
        bool of_node = name && name == layer->op->name;
        bool further = of_node && i > 0 && layers->layer[i - 1].op == layer->op;
        bool number = !of_node && s->renumbered && is_numbered(s, layer);
        if (!name || !*name || further || layer->constant || number)
            continue;
        size_t inserted = of_node ? 0 : inserted_length(name);
        name += inserted;
        list[count++] = (layer_name){name, length_of(name, how), inserted > 0, i};
    }
    return keep_unique(list, count);
}

/* A quantizer gives the model's output name to the conversion behind the last layer:
 * that layer is the counterpart, not the conversion. */
static bool may_share_a_name(const xr_layer *a, const xr_layer *b)
{
    return (a->kind == XR_OP_CONVERSION) == (b->kind == XR_OP_CONVERSION);
}

static void note_namesakes(xr_naming *s, const xr_layers side[2], naming how, const layer_name *a, size_t n,
                           const layer_name *b, size_t m, bool *taken)
{
    for (size_t i = 0, j = 0; i < n && j < m;) {
        int order = by_name(&a[i], &b[j]);
        uint32_t x = a[i].layer, y = b[j].layer;
        if (order == 0 && how == BY_TENSOR) {
            s->same[0][x] = y;
            s->same[1][y] = x;
        }
        if (order == 0 && s->namesake[x] == EXRAY_NO_INDEX && !taken[y] &&
            may_share_a_name(&side[0].layer[x], &side[1].layer[y])) {
            s->namesake[x] = y;
            taken[y] = true;
        }
        i += order <= 0;
        j += order >= 0;
    }
}

/* ---- One naming on both sides --------------------------------------------------------- */

static bool is_one_file(const exray_model *a, const exray_model *b)
{
    return a->sha256 && b->sha256 && memcmp(a->sha256, b->sha256, 32) == 0;
}

/* TensorFlow Lite and LiteRT read one format. */
static bool is_one_family(const exray_model *a, const exray_model *b)
{
    const char *x = a->engine ? a->engine : "", *y = b->engine ? b->engine : "";
    bool lite[2] = {strcmp(x, "tflite") == 0 || strcmp(x, "litert") == 0,
                    strcmp(y, "tflite") == 0 || strcmp(y, "litert") == 0};
    return strcmp(x, y) == 0 || (lite[0] && lite[1]);
}

static uint32_t count_named(const xr_naming *s, const xr_layers *layers)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < layers->count; i++)
        count += !layers->layer[i].constant && layers->layer[i].tensor && layers->layer[i].tensor->name &&
                 layers->layer[i].tensor->name[0] && !(s->renumbered && is_numbered(s, &layers->layer[i]));
    return count;
}

/* Of each tensor of a model the layer that computes it, or EXRAY_NO_INDEX.  NULL: out of memory. */
static uint32_t *makers_of(const xr_layers *layers)
{
    uint32_t count = layers->model->tensor_count, *maker = malloc(((size_t)count + 1) * sizeof *maker);
    for (uint32_t t = 0; maker && t < count; t++)
        maker[t] = EXRAY_NO_INDEX;
    for (uint32_t i = 0; maker && i < layers->count; i++)
        if (layers->layer[i].tensor)
            maker[layers->layer[i].tensor - layers->model->tensors] = i;
    return maker;
}

/* Whether a layer reads one whose name the other side lacks: there it may be part of a fused node. */
static bool reads_unnamed(const xr_layers *layers, const uint32_t *same, const uint32_t *maker,
                          uint32_t layer)
{
    const exray_node *node = layers->layer[layer].op;
    for (uint32_t i = 0; i < node->input_count; i++) {
        uint32_t from =
            node->inputs[i] < layers->model->tensor_count ? maker[node->inputs[i]] : EXRAY_NO_INDEX;
        if (from != EXRAY_NO_INDEX && same[from] == EXRAY_NO_INDEX)
            return true;
    }
    return false;
}

/* Whether two tensors of one name are of another size, or of operators of another kind that no fusion
 * explains: a converter that numbers its tensors gives one name to several. */
static bool contradict(const xr_naming *s, const xr_layers side[2], uint32_t *const maker[2], uint32_t edge)
{
    uint32_t reference = s->same[0][edge];
    const xr_layer *a = &side[0].layer[edge], *b = &side[1].layer[reference];
    if (a->elements && b->elements && a->elements != b->elements)
        return true;
    if (a->kind == XR_OP_PARTITION || b->kind == XR_OP_PARTITION)
        return false;
    bool alike = a->kind == b->kind && (a->kind != XR_OP_OTHER || xr_same_op_name(a->op->op, b->op->op));
    return !alike && !reads_unnamed(&side[0], s->same[0], maker[0], edge) &&
           !reads_unnamed(&side[1], s->same[1], maker[1], reference);
}

/* Most names of the smaller side occur on the other, and hardly any of them means something else: an
 * optimizer, or another version of the graph, leaves most names where they are. */
static bool is_one_graph(const xr_naming *s, const xr_layers side[2], uint32_t *const maker[2])
{
    uint32_t common = 0, against = 0;
    for (uint32_t a = 0; a < side[0].count; a++) {
        if (s->same[0][a] == EXRAY_NO_INDEX)
            continue;
        common++;
        against += contradict(s, side, maker, a);
    }
    uint32_t n = count_named(s, &side[0]), m = count_named(s, &side[1]);
    return common >= 2 && 5 * common >= 3 * (n < m ? n : m) && 5 * against <= common;
}

static bool note_shared(xr_naming *s, const xr_layers side[2])
{
    s->shared = s->one_file;
    if (s->shared || !is_one_family(side[0].model, side[1].model))
        return true;
    uint32_t *maker[2] = {makers_of(&side[0]), makers_of(&side[1])};
    bool ok = maker[0] && maker[1];
    s->shared = ok && is_one_graph(s, side, maker);
    free(maker[0]);
    free(maker[1]);
    return ok;
}

/* The layer that a conversion converts, where only it does; else EXRAY_NO_INDEX. */
static uint32_t converted(const xr_layers *layers, uint32_t i)
{
    while (i != EXRAY_NO_INDEX && layers->layer[i].kind == XR_OP_CONVERSION)
        i = layers->layer[i].source;
    return i;
}

/* Names of other files' tensors prove nothing where their sizes differ.  A converter leaves a tensor's name
 * to the conversion behind the layer that computes it: then that layer is meant. */
static void keep_proofs(xr_naming *s, const xr_layers side[2])
{
    for (uint32_t a = 0; a < side[0].count; a++) {
        uint32_t b = s->same[0][a];
        if (b == EXRAY_NO_INDEX)
            continue;
        bool share = may_share_a_name(&side[0].layer[a], &side[1].layer[b]);
        uint32_t x = share ? a : converted(&side[0], a), y = share ? b : converted(&side[1], b);
        uint64_t n = x == EXRAY_NO_INDEX ? 0 : side[0].layer[x].elements,
                 m = y == EXRAY_NO_INDEX ? 0 : side[1].layer[y].elements;
        bool one = x != EXRAY_NO_INDEX && y != EXRAY_NO_INDEX && (n == m || n == 0 || m == 0);
        if (one && share)
            continue;
        s->same[0][a] = EXRAY_NO_INDEX;
        s->same[1][b] = EXRAY_NO_INDEX;
        if (!one || s->same[0][x] != EXRAY_NO_INDEX || s->same[1][y] != EXRAY_NO_INDEX)
            continue;
        s->same[0][x] = y;
        s->same[1][y] = x;
    }
}

/* The conversion back of a layer that is quantized to a range that begins at zero; else EXRAY_NO_INDEX. */
static uint32_t cut_by_range(const xr_layers *layers, uint32_t i)
{
    uint32_t quantized = EXRAY_NO_INDEX;
    for (uint32_t k = i + 1; k < layers->count; k++) {
        const xr_layer *layer = &layers->layer[k];
        if (layer->kind != XR_OP_CONVERSION)
            continue;
        if (layer->source == i && xr_layer_is_cut_at_zero(layer))
            quantized = k;
        else if (quantized != EXRAY_NO_INDEX && layer->source == quantized)
            return k;
    }
    return EXRAY_NO_INDEX;
}

/* A quantizer that leaves out an activation, which the range of the integers is instead, leaves its name to
 * the layer before: what is converted back is what the activation makes. */
static void move_activations(xr_naming *s, const xr_layers side[2])
{
    for (uint32_t a = 0; a < side[0].count; a++) {
        uint32_t b = s->same[0][a];
        if (b == EXRAY_NO_INDEX)
            continue;
        bool activates[2] = {side[0].layer[a].kind == XR_OP_ACTIVATION,
                             side[1].layer[b].kind == XR_OP_ACTIVATION};
        uint32_t x = activates[1] && !activates[0] ? cut_by_range(&side[0], a) : a;
        uint32_t y = activates[0] && !activates[1] ? cut_by_range(&side[1], b) : b;
        bool moved = (x != a || y != b) && x != EXRAY_NO_INDEX && y != EXRAY_NO_INDEX;
        if (!moved || (x != a && s->same[0][x] != EXRAY_NO_INDEX) ||
            (y != b && s->same[1][y] != EXRAY_NO_INDEX))
            continue;
        s->same[0][a] = EXRAY_NO_INDEX;
        s->same[1][b] = EXRAY_NO_INDEX;
        s->same[0][x] = y;
        s->same[1][y] = x;
    }
}

static bool note_all(xr_naming *s, const xr_layers side[2])
{
    size_t n = side[0].count, m = side[1].count;
    layer_name *a = calloc(n + 1, sizeof *a), *b = calloc(m + 1, sizeof *b);
    bool *taken = calloc(m + 1, sizeof *taken);
    bool ok = a && b && taken;
    for (int how = 0; ok && how < NAMINGS; how++) {
        size_t listed[2] = {list_names(s, &side[0], (naming)how, a), list_names(s, &side[1], (naming)how, b)};
        note_namesakes(s, side, (naming)how, a, listed[0], b, listed[1], taken);
    }
    free(a);
    free(b);
    free(taken);
    return ok;
}

bool xr_naming_init(xr_naming *s, const xr_layers side[2])
{
    *s = (xr_naming){.one_file = is_one_file(side[0].model, side[1].model),
                     .renumbered = side[0].model->node_count != side[1].model->node_count};
    uint32_t **list[] = {&s->namesake, &s->same[0], &s->same[1]};
    const size_t count[] = {side[0].count, side[0].count, side[1].count};
    for (size_t k = 0; k < 3; k++) {
        *list[k] = malloc((count[k] + 1) * sizeof **list[k]);
        for (size_t i = 0; *list[k] && i < count[k]; i++)
            (*list[k])[i] = EXRAY_NO_INDEX;
    }
    if (!s->namesake || !s->same[0] || !s->same[1] || !note_series(s, side) || !note_all(s, side) ||
        !note_shared(s, side))
        return false;
    if (!s->one_file)
        keep_proofs(s, side);
    move_activations(s, side);
    return true;
}

void xr_naming_free(xr_naming *s)
{
    free(s->namesake);
    free(s->same[0]);
    free(s->same[1]);
    free(s->series);
    *s = (xr_naming){0};
}

bool xr_naming_proves(const xr_naming *s, uint32_t edge, uint32_t reference)
{
    return s->shared && s->same[0][edge] == reference;
}

bool xr_naming_forbids(const xr_naming *s, uint32_t edge, uint32_t reference)
{
    return s->shared && s->same[0][edge] != reference &&
           (s->same[0][edge] != EXRAY_NO_INDEX || s->same[1][reference] != EXRAY_NO_INDEX);
}

bool xr_naming_is_by_number(const xr_naming *s, const xr_layer *edge, const xr_layer *reference)
{
    const char *name[2] = {edge->tensor ? edge->tensor->name : NULL,
                           reference->tensor ? reference->tensor->name : NULL};
    return name[0] && name[1] && is_numbered(s, edge) &&
           strcmp(name[0] + inserted_length(name[0]), name[1] + inserted_length(name[1])) == 0;
}
