#include "checks/model/graph/between/attribute_texts.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What writing float32 in six digits, or weights that were rounded to 16 bits before, change of their mean
 * and root mean square. */
#define ROUNDED 1e-4

/* Functions of values, which no rewriting adds or takes away; at most 64. */
static const char *const functions[] = {"Relu",          "LeakyRelu",  "PRelu",       "Elu",
                                        "Selu",          "Celu",       "Tanh",        "Sigmoid",
                                        "HardSigmoid",   "HardSwish",  "Softplus",    "Softsign",
                                        "Exp",           "Log",        "Sqrt",        "Erf",
                                        "Sin",           "Cos",        "Abs",         "Neg",
                                        "Pow",           "Reciprocal", "Floor",       "Ceil",
                                        "Round",         "Sign",       "Clip",        "Softmax",
                                        "LogSoftmax",    "MaxPool",    "AveragePool", "GlobalAveragePool",
                                        "GlobalMaxPool", "ReduceMax",  "ReduceMin",   "ArgMax",
                                        "ArgMin",        "TopK",       "CumSum",      "Not",
                                        "And",           "Or"};
/* What may be folded into the weights of a product; at most 16. */
static const char *const arithmetic[] = {"Add", "Sub", "Mul", "Div", "Min", "Max"};
static const char *const products[] = {"Conv", "ConvTranspose", "MatMul", "Gemm", "BatchNormalization"};
/* What moves values, converts them or tells their shape. */
static const char *const moves[] = {"Cast",    "Identity", "Reshape", "Transpose", "Squeeze", "Unsqueeze",
                                    "Flatten", "Slice",    "Split",   "Concat",    "Gather",  "Shape",
                                    "Expand",  "Size",     "Tile",    "Pad"};

typedef struct body {
    uint64_t functions; /* bit i: of the list */
    uint32_t arithmetic;
    bool products;
} body;

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* The place in the list; its count where it has none of that name. */
static size_t place(const char *const *list, size_t count, const char *op, size_t length)
{
    size_t i = 0;
    while (i < count && (strncmp(list[i], op, length) != 0 || list[i][length]))
        i++;
    return i;
}

static bool take_operator(const char *op, size_t length, body *out)
{
    size_t i = place(functions, COUNT(functions), op, length);
    if (i < COUNT(functions)) {
        out->functions |= UINT64_C(1) << i;
        return true;
    }
    i = place(arithmetic, COUNT(arithmetic), op, length);
    if (i < COUNT(arithmetic)) {
        out->arithmetic |= UINT32_C(1) << i;
        return true;
    }
    bool product = place(products, COUNT(products), op, length) < COUNT(products);
    out->products = out->products || product;
    return product || place(moves, COUNT(moves), op, length) < COUNT(moves);
}

/* False: not all of its operators are known. */
static bool take_body(const char *value, body *out)
{
    static const char head[] = "graph of ";
    if (strncmp(value, head, sizeof head - 1) != 0)
        return false;
    for (const char *at = value + sizeof head - 1; *at && *at != ';';) {
        size_t length = strcspn(at, ",;");
        if (!take_operator(at, length, out))
            return false;
        at += length + (at[length] == ',');
    }
    return true;
}

/* Whether two bodies run the same operators, whatever their weights. */
static bool are_of_same_operators(const char *a, const char *b)
{
    const size_t length = strcspn(a, ";");
    return length == strcspn(b, ";") && strncmp(a, b, length) == 0;
}

static bool bodies_may_agree(const char *a, const char *b)
{
    static const char head[] = "graph";
    if (strncmp(a, head, sizeof head - 1) != 0 || strncmp(b, head, sizeof head - 1) != 0)
        return false;
    if (are_of_same_operators(a, b))
        return true; /* their weights may be others: those are told as such */
    body edge = {0}, reference = {0};
    if (!take_body(a, &edge) || !take_body(b, &reference))
        return true;
    return edge.functions == reference.functions &&
           (edge.products || reference.products || edge.arithmetic == reference.arithmetic);
}

/* How many weights of float32 a body has, their mean and their root mean square; false: not told. */
static bool take_weights(const char *text, double out[3])
{
    const char *at = strstr(text, "; float32 ");
    return at && sscanf(at, "; float32 %lf mean %lf rms %lf", &out[0], &out[1], &out[2]) == 3;
}

bool xr_bodies_weigh_otherwise(const char *a, const char *b)
{
    double edge[3], reference[3];
    if (strncmp(a, "graph", 5) != 0 || !are_of_same_operators(a, b) || !take_weights(a, edge) ||
        !take_weights(b, reference) || edge[0] != reference[0])
        return false;
    const double most = ROUNDED * fmax(edge[2], reference[2]);
    return fabs(edge[1] - reference[1]) > most || fabs(edge[2] - reference[2]) > most;
}

/* The shape in the text of a tensor of floats; NULL: of other texts. */
static const char *float_shape(const char *text)
{
    static const char *const types[] = {"float16 [", "bfloat16 [", "float32 [", "float64 ["};
    for (size_t i = 0; i < COUNT(types); i++)
        if (strncmp(text, types[i], strlen(types[i])) == 0)
            return text + strlen(types[i]);
    return NULL;
}

bool xr_texts_may_agree(const char *a, const char *b)
{
    const char *x = float_shape(a), *y = float_shape(b);
    return bodies_may_agree(a, b) || (x && y && strcmp(x, y) == 0);
}

/* What a value is beside the default of its attribute. */
typedef enum beside_default { NOT_KNOWN, USUAL, MEANT } beside_default;

static beside_default beside_default_of(const char *op, const char *key, const char *text)
{
    static const struct {
        const char *op, *key, *value; /* NULL: it has none, so that any is meant */
    } defaults[] = {{"Resize", "antialias", "0"},
                    {"Resize", "exclude_outside", "0"},
                    {"Resize", "cubic_coeff_a", "-0.75"},
                    {"Resize", "extrapolation_value", "0"},
                    {"Resize", "keep_aspect_ratio_policy", "stretch"},
                    {"Resize", "nearest_mode", "round_prefer_floor"},
                    {"Resize", "coordinate_transformation_mode", "half_pixel"},
                    {"Attention", "scale", NULL},
                    {"Attention", "softcap", "0"},
                    {"Attention", "is_causal", "0"},
                    {"Attention", "unidirectional", "0"},
                    {"MultiHeadAttention", "scale", NULL},
                    {"RotaryEmbedding", "interleaved", "0"},
                    {"GridSample", "align_corners", "0"},
                    {"GridSample", "padding_mode", "zeros"},
                    {"RoiAlign", "mode", "avg"},
                    {"RoiAlign", "sampling_ratio", "0"},
                    {"ArgMax", "select_last_index", "0"},
                    {"ArgMin", "select_last_index", "0"},
                    {"TopK", "largest", "1"},
                    {"CumSum", "exclusive", "0"},
                    {"CumSum", "reverse", "0"},
                    {"Mod", "fmod", "0"},
                    {"Trilu", "upper", "1"},
                    {"ScatterND", "reduction", "none"},
                    {"ScatterElements", "reduction", "none"},
                    {"LRN", "bias", "1"},
                    {"GRU", "linear_before_reset", "0"},
                    {"LSTM", "input_forget", "0"},
                    {"LSTM", "direction", "forward"},
                    {"GRU", "direction", "forward"},
                    {"RNN", "direction", "forward"}};
    for (size_t i = 0; i < COUNT(defaults); i++)
        if (strcmp(defaults[i].op, op) == 0 && strcmp(defaults[i].key, key) == 0) {
            const char *usual = defaults[i].value;
            if (!usual || strcmp(usual, text) == 0)
                return usual ? USUAL : MEANT;
            char *end;
            const double number = strtod(usual, &end);
            return *end || fabs(strtod(text, NULL) - number) > 1e-6 * fabs(number) ? MEANT : USUAL;
        }
    return NOT_KNOWN;
}

bool xr_attribute_is_meant(const char *op, const char *key, const char *text)
{
    return beside_default_of(op, key, text) == MEANT;
}

bool xr_attribute_is_default(const char *op, const char *key, const char *text)
{
    return beside_default_of(op, key, text) == USUAL;
}
