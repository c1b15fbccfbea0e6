#include "compare/noise/functions_rows.h"

#include <exray/log.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Axes --------------------------------------------------------------------------------------- */

/* The axes of a reduction, as a set of dimensions: of the second input, or of the attribute `axes`; all where
 * neither names any. */
static bool read_axes(const exray_node *node, const xr_array *in, uint32_t count, bool axis[EXRAY_MAX_RANK])
{
    const char *text = exray_node_attribute(node, "axes");
    bool any = false;
    memset(axis, 0, EXRAY_MAX_RANK * sizeof *axis);
    for (uint64_t i = 0; count > 1 && in[1].value && i < in[1].count; i++) {
        double d = in[1].value[i] + (in[1].value[i] < 0 ? (double)in->rank : 0);
        if (!(d >= 0 && d < in->rank))
            return false;
        axis[(uint32_t)d] = any = true;
    }
    while (text && *text) {
        char *end;
        long d = strtol(text, &end, 10);
        d += d < 0 ? (long)in->rank : 0;
        if (end == text || d < 0 || d >= (long)in->rank)
            return false;
        axis[d] = any = true;
        text = *end ? end + 1 : end;
    }
    for (uint32_t d = 0; !any && d < in->rank; d++)
        axis[d] = true;
    return true;
}

/* ---- Sums --------------------------------------------------------------------------------------- */

typedef enum reduction { SUM, MEAN, MOST, LEAST, LENGTH } reduction;

static void reduce_into(reduction kind, double *into, double x)
{
    if (kind == MOST)
        *into = fmax(*into, x);
    else if (kind == LEAST)
        *into = fmin(*into, x);
    else
        *into += kind == LENGTH ? x * x : x;
}

static bool apply_reduction(reduction kind, const exray_node *node, const xr_array *in, uint32_t count,
                            xr_array *out)
{
    bool axis[EXRAY_MAX_RANK] = {0};
    int64_t kept[EXRAY_MAX_RANK] = {0}, shape[EXRAY_MAX_RANK], at[EXRAY_MAX_RANK] = {0};
    const char *keep = exray_node_attribute(node, "keepdims"),
               *keep_dims = exray_node_attribute(node, "keep_dims");
    bool keeps = keep ? strcmp(keep, "0") != 0 : !keep_dims || strcmp(keep_dims, "true") == 0;
    uint32_t rank = 0;
    if (!read_axes(node, in, count, axis))
        return false;
    for (uint32_t d = 0; d < in->rank; d++) {
        kept[d] = axis[d] ? 1 : in->shape[d];
        if (keeps || !axis[d])
            shape[rank++] = kept[d];
    }
    double *sum = NULL;
    if (!xr_array_make(out, rank, shape) || !(sum = calloc(out->count + 1, sizeof *sum)))
        return false;
    for (uint64_t i = 0; i < out->count; i++)
        sum[i] = kind == MOST ? -INFINITY : kind == LEAST ? INFINITY : 0;
    for (uint64_t i = 0; i < in->count; i++) {
        uint64_t place = 0;
        for (uint32_t d = 0; d < in->rank; d++)
            place = place * (uint64_t)kept[d] + (axis[d] ? 0 : (uint64_t)at[d]);
        reduce_into(kind, &sum[place], in->value[i]);
        for (uint32_t d = in->rank; d-- > 0;) {
            if (++at[d] < in->shape[d])
                break;
            at[d] = 0;
        }
    }
    double each = out->count ? (double)in->count / (double)out->count : 1;
    for (uint64_t i = 0; i < out->count; i++)
        out->value[i] = (float)(kind == MEAN ? sum[i] / each : kind == LENGTH ? sqrt(sum[i]) : sum[i]);
    free(sum);
    return true;
}

/* ---- Rows --------------------------------------------------------------------------------------- */

/* The length of the last dimension, where the axis is that one; else 0. */
static uint64_t last_row(const exray_node *node, const xr_array *in)
{
    double axis = xr_function_number(node, "axis", -1);
    bool last = axis == -1 || axis == (double)in->rank - 1;
    return last && in->rank && in->shape[in->rank - 1] > 0 ? (uint64_t)in->shape[in->rank - 1] : 0;
}

static bool apply_softmax(const exray_node *node, const xr_array *in, bool logarithm, xr_array *out)
{
    uint64_t row = last_row(node, in);
    double beta = xr_function_number(node, "beta", 1);
    if (row == 0 || !xr_array_make(out, in->rank, in->shape))
        return false;
    for (uint64_t r = 0; r < in->count; r += row) {
        const float *x = in->value + r;
        double most = -INFINITY, sum = 0;
        for (uint64_t i = 0; i < row; i++)
            most = fmax(most, beta * x[i]);
        for (uint64_t i = 0; i < row; i++)
            sum += exp(beta * x[i] - most);
        for (uint64_t i = 0; i < row; i++) {
            double z = beta * x[i] - most;
            out->value[r + i] = (float)(logarithm ? z - log(sum) : exp(z) / sum);
        }
    }
    return true;
}

/* A row less its mean (unless `simple`), divided by its deviation, times a scale, plus a bias. */
static bool normalize_rows(const exray_node *node, const xr_array *in, const xr_array *scale,
                           const xr_array *bias, bool simple, xr_array *out)
{
    uint64_t row = last_row(node, in);
    double epsilon = xr_function_number(node, "epsilon", 1e-5);
    bool fits = row && scale->value && scale->count == row && (!bias->value || bias->count == row);
    if (!fits || !xr_array_make(out, in->rank, in->shape))
        return false;
    for (uint64_t r = 0; r < in->count; r += row) {
        const float *x = in->value + r;
        double mean = 0, square = 0;
        for (uint64_t i = 0; i < row && !simple; i++)
            mean += x[i] / (double)row;
        for (uint64_t i = 0; i < row; i++)
            square += (x[i] - mean) * (x[i] - mean) / (double)row;
        double factor = 1 / sqrt(square + epsilon);
        for (uint64_t i = 0; i < row; i++)
            out->value[r + i] =
                (float)((x[i] - mean) * factor * scale->value[i] + (bias->value ? bias->value[i] : 0));
    }
    return true;
}

/* The sum of an input, another one and a bias, normalized. */
static bool apply_skip_normalization(const exray_node *node, const xr_array *in, uint32_t count, bool simple,
                                     xr_array *out)
{
    static const xr_array none;
    const xr_array *beta = simple || count < 4 ? &none : &in[3];
    const xr_array *bias = count > (simple ? 3u : 4u) ? &in[simple ? 3 : 4] : &none;
    xr_array sum;
    if (count < 3 || !in[1].value || in[1].count != in[0].count || !xr_array_make(&sum, in->rank, in->shape))
        return false;
    for (uint64_t i = 0; i < sum.count; i++)
        sum.value[i] = in[0].value[i] + in[1].value[i] + (bias->count ? bias->value[i % bias->count] : 0);
    bool made = normalize_rows(node, &sum, &in[2], beta, simple, out);
    xr_array_free(&sum);
    return made;
}

/* ---- Products of matrices ------------------------------------------------------------------------ */

/* A stack of matrices: element (row, column) of one is at row * step[0] + column * step[1]. */
typedef struct matrices {
    const xr_array *array;
    uint64_t rows, columns, step[2];
} matrices;

static bool view_matrices(const xr_array *a, bool turned, matrices *out)
{
    if (a->rank < 2 || !a->value)
        return false;
    uint64_t rows = (uint64_t)a->shape[a->rank - 2], columns = (uint64_t)a->shape[a->rank - 1];
    *out = turned ? (matrices){a, columns, rows, {1, columns}} : (matrices){a, rows, columns, {columns, 1}};
    return true;
}

/* alpha a b, of the last two dimensions; the others broadcast. */
static bool multiply(const xr_array *left, bool turn_left, const xr_array *right, bool turn_right,
                     double alpha, xr_array *out)
{
    enum { MOST_PRODUCTS = 1 << 27 }; /* a tenth of a second */
    matrices a, b;
    int64_t shape[EXRAY_MAX_RANK];
    uint32_t rank;
    if (!view_matrices(left, turn_left, &a) || !view_matrices(right, turn_right, &b) || a.columns != b.rows)
        return false;
    xr_array stack[2] = {*left, *right}; /* the dimensions before the last two */
    for (int k = 0; k < 2; k++)
        stack[k].rank -= 2;
    if (!xr_broadcast_shape(&stack[0], &stack[1], &rank, shape) || rank + 2 > EXRAY_MAX_RANK)
        return false;
    shape[rank] = (int64_t)a.rows;
    shape[rank + 1] = (int64_t)b.columns;
    if (!xr_array_make(out, rank + 2, shape) || out->count > MOST_PRODUCTS / (a.columns ? a.columns : 1))
        return false;
    uint64_t size = a.rows * b.columns, size_a = a.rows * a.columns, size_b = b.rows * b.columns;
    uint64_t count_a = size_a ? left->count / size_a : 0, count_b = size_b ? right->count / size_b : 0;
    uint64_t stacked = size ? out->count / size : 0;
    if ((count_a != stacked && count_a != 1) || (count_b != stacked && count_b != 1))
        return false; /* both stacks broadcast */
    for (uint64_t m = 0; m < stacked; m++) {
        const float *x = left->value + (count_a == 1 ? 0 : m) * size_a;
        const float *y = right->value + (count_b == 1 ? 0 : m) * size_b;
        for (uint64_t r = 0; r < a.rows; r++)
            for (uint64_t c = 0; c < b.columns; c++) {
                double sum = 0;
                for (uint64_t k = 0; k < a.columns; k++)
                    sum += (double)x[r * a.step[0] + k * a.step[1]] * y[k * b.step[0] + c * b.step[1]];
                out->value[m * size + r * b.columns + c] = (float)(alpha * sum);
            }
    }
    return true;
}

static bool add_bias(const xr_array *bias, double factor, xr_array *out)
{
    if (!bias->value)
        return true;
    if (bias->count == 0 || out->count % bias->count)
        return false;
    for (uint64_t i = 0; i < out->count; i++)
        out->value[i] += (float)(factor * bias->value[i % bias->count]);
    return true;
}

static bool flag(const exray_node *node, const char *key)
{
    const char *text = exray_node_attribute(node, key);
    return text && strcmp(text, "0") != 0 && strcmp(text, "false") != 0;
}

static bool apply_product(const char *name, const exray_node *node, const xr_array *in, uint32_t count,
                          xr_array *out)
{
    static const xr_array none;
    const xr_array *bias = count > 2 ? &in[2] : &none;
    if (count < 2)
        return false;
    if (strcmp(name, "matmul") == 0 || strcmp(name, "fusedmatmul") == 0)
        return !flag(node, "transBatchA") && !flag(node, "transBatchB") &&
               multiply(&in[0], flag(node, "transA"), &in[1], flag(node, "transB"),
                        xr_function_number(node, "alpha", 1), out);
    if (strcmp(name, "batchmatmul") == 0)
        return multiply(&in[0], flag(node, "adj_x"), &in[1], flag(node, "adj_y"), 1, out);
    if (strcmp(name, "gemm") == 0 || strcmp(name, "fusedgemm") == 0)
        return multiply(&in[0], flag(node, "transA"), &in[1], flag(node, "transB"),
                        xr_function_number(node, "alpha", 1), out) &&
               add_bias(bias, xr_function_number(node, "beta", 1), out);
    if (strcmp(name, "fullyconnected") != 0 || in[1].rank != 2)
        return false;
    xr_array rows = in[0]; /* all that comes before the last dimension */
    rows.rank = 2;
    rows.shape[1] = in[1].shape[1];
    rows.shape[0] = rows.shape[1] > 0 ? (int64_t)(rows.count / (uint64_t)rows.shape[1]) : 0;
    return multiply(&rows, false, &in[1], true, 1, out) && add_bias(bias, 1, out);
}

bool xr_function_rows(const char *name, const exray_node *node, const xr_array *in, uint32_t count,
                      xr_array *out)
{
    static const struct {
        const char *name;
        reduction kind;
    } reductions[] = {{"reducesum", SUM},  {"reducemean", MEAN}, {"mean", MEAN},
                      {"reducemax", MOST}, {"reducemin", LEAST}, {"reducel2", LENGTH}};
    static const xr_array none;
    for (size_t i = 0; i < sizeof reductions / sizeof *reductions; i++)
        if (strcmp(name, reductions[i].name) == 0)
            return apply_reduction(reductions[i].kind, node, in, count, out);
    if (strcmp(name, "softmax") == 0 || strcmp(name, "logsoftmax") == 0)
        return apply_softmax(node, in, name[0] == 'l', out);
    bool simple = strstr(name, "simplified") || strncmp(name, "rms", 3) == 0;
    if (strcmp(name, "layernormalization") == 0 || strcmp(name, "simplifiedlayernormalization") == 0 ||
        strcmp(name, "rmsnormalization") == 0)
        return count > 1 && normalize_rows(node, in, &in[1], count > 2 ? &in[2] : &none, simple, out);
    if (strcmp(name, "skiplayernormalization") == 0 || strcmp(name, "skipsimplifiedlayernormalization") == 0)
        return apply_skip_normalization(node, in, count, simple, out);
    return apply_product(name, node, in, count, out);
}
