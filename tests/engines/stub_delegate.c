/* An external delegate, as `exray record --delegate` loads one: it takes the nodes that its
 * options name and computes them (float32; stub_ops.c) with kernels of its own.
 *
 *     take:LIST     operators (DEPTHWISE_CONV_2D) and nodes of the model (5, 3-9), by commas;
 *                   "all": whatever it can compute; without it: nothing
 *     wrong:NODE    that node's results are wrong
 *     fail:RUN      that run fails, counted from 0; "prepare": it fails at once
 *
 * The engine's functions are not linked: they are those of the library that loads it. */
#include "engines/tflite/tflite_c.h"
#include "stub_ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

enum { BUILTIN_DELEGATE = 51, MAX_TAKEN = 64, NEVER = -1, AT_PREPARE = -2 };

/* ---- The engine's functions, as 2.17 declares them ----------------------------------- */

TfLiteDelegate *TfLiteOpaqueDelegateCreate(const TfLiteOpaqueDelegateBuilder *builder);
void TfLiteOpaqueDelegateDelete(TfLiteDelegate *delegate);
void *TfLiteOpaqueDelegateGetData(const TfLiteDelegate *delegate);
TfLiteStatus TfLiteOpaqueContextGetExecutionPlan(TfLiteOpaqueContext *context, TfLiteIntArray **plan);
TfLiteStatus TfLiteOpaqueContextGetNodeAndRegistration(TfLiteOpaqueContext *context, int index,
                                                       TfLiteOpaqueNode **node, TfLiteOperator **op);
TfLiteStatus TfLiteOpaqueContextReplaceNodeSubsetsWithDelegateKernels(TfLiteOpaqueContext *context,
                                                                      TfLiteOperator *kernel,
                                                                      const TfLiteIntArray *nodes,
                                                                      TfLiteDelegate *delegate);
TfLiteOpaqueTensor *TfLiteOpaqueContextGetOpaqueTensor(const TfLiteOpaqueContext *context, int index);
void TfLiteOpaqueContextReportError(TfLiteOpaqueContext *context, const char *format, ...);
TfLiteStatus TfLiteOpaqueNodeInputs(const TfLiteOpaqueNode *node, const int **inputs, int *count);
TfLiteStatus TfLiteOpaqueNodeOutputs(const TfLiteOpaqueNode *node, const int **outputs, int *count);
void *TfLiteOpaqueNodeGetBuiltinData(const TfLiteOpaqueNode *node);
int TfLiteOpaqueTensorType(const TfLiteOpaqueTensor *tensor);
int32_t TfLiteOpaqueTensorNumDims(const TfLiteOpaqueTensor *tensor);
int32_t TfLiteOpaqueTensorDim(const TfLiteOpaqueTensor *tensor, int32_t dim);
void *TfLiteOpaqueTensorData(const TfLiteOpaqueTensor *tensor);
int TfLiteOperatorGetBuiltInCode(const TfLiteOperator *op);
TfLiteOperator *TfLiteOperatorCreate(int code, const char *name, int version, void *user_data);
void TfLiteOperatorSetInit(TfLiteOperator *op, void *(*init)(TfLiteOpaqueContext *, const char *, size_t));
void TfLiteOperatorSetFree(TfLiteOperator *op, void (*release)(TfLiteOpaqueContext *, void *));
void TfLiteOperatorSetInvoke(TfLiteOperator *op,
                             TfLiteStatus (*invoke)(TfLiteOpaqueContext *, TfLiteOpaqueNode *));
void *TfLiteOpaqueNodeGetUserData(const TfLiteOpaqueNode *node);

/* ---- Options ------------------------------------------------------------------------- */

/* One item of `take`: an operator, or nodes from first to last. */
typedef struct taken {
    int code; /* -1: nodes */
    int first, last;
} taken;

typedef struct stub {
    taken take[MAX_TAKEN];
    int take_count;
    bool take_all;
    int wrong, fail; /* NEVER, AT_PREPARE */
} stub;

/* A number up to `end` exactly; false: it is none. */
static bool parse_number(const char *text, const char *end, int *number)
{
    char *rest;
    long value = strtol(text, &rest, 10);
    *number = (int)value;
    return rest == end && rest != text && *text >= '0' && *text <= '9' && value <= 1000000;
}

static bool parse_taken(const char *item, taken *to)
{
    const char *end = item + strlen(item), *dash = strchr(item, '-');
    *to = (taken){.code = stub_op_code(item)};
    if (to->code >= 0)
        return true;
    return parse_number(item, dash ? dash : end, &to->first) &&
           parse_number(dash ? dash + 1 : item, end, &to->last) && to->first <= to->last;
}

static bool parse_take(stub *s, const char *value)
{
    char item[40];
    s->take_all = strcmp(value, "all") == 0;
    for (const char *next = value; next && !s->take_all;) {
        size_t length = strcspn(next, ",");
        if (length >= sizeof item || s->take_count == MAX_TAKEN)
            return false;
        memcpy(item, next, length);
        item[length] = '\0';
        if (!parse_taken(item, &s->take[s->take_count++]))
            return false;
        next = next[length] ? next + length + 1 : NULL;
    }
    return true;
}

static bool parse_option(stub *s, const char *key, const char *value)
{
    if (strcmp(key, "take") == 0)
        return parse_take(s, value);
    if (strcmp(key, "wrong") == 0)
        return parse_number(value, value + strlen(value), &s->wrong);
    if (strcmp(key, "fail") != 0)
        return false;
    if (strcmp(value, "prepare") != 0)
        return parse_number(value, value + strlen(value), &s->fail);
    s->fail = AT_PREPARE;
    return true;
}

static bool wants(const stub *s, int node, int code)
{
    bool wanted = s->take_all;
    for (int i = 0; i < s->take_count && !wanted; i++) {
        const taken *t = &s->take[i];
        wanted = t->code >= 0 ? t->code == code : node >= t->first && node <= t->last;
    }
    return wanted;
}

/* ---- Nodes --------------------------------------------------------------------------- */

/* A node that the delegate runs, with tensors of its own. */
typedef struct step {
    stub_op op;
    int node; /* of the model */
    int input_index[STUB_MAX_INPUTS], output_index;
    stub_tensor inputs[STUB_MAX_INPUTS], output;
} step;

static bool read_tensor(const TfLiteOpaqueContext *context, int index, stub_tensor *tensor)
{
    const TfLiteOpaqueTensor *from = index < 0 ? NULL : TfLiteOpaqueContextGetOpaqueTensor(context, index);
    if (!from || TfLiteOpaqueTensorType(from) != XR_TFLITE_FLOAT32)
        return false;
    *tensor = (stub_tensor){.rank = TfLiteOpaqueTensorNumDims(from)};
    if (tensor->rank < 0 || tensor->rank > STUB_MAX_RANK)
        return false;
    for (int i = 0; i < tensor->rank; i++)
        if ((tensor->dims[i] = TfLiteOpaqueTensorDim(from, i)) <= 0)
            return false;
    return true;
}

/* False: it is none that can be computed here. */
static bool read_step(TfLiteOpaqueContext *context, int node, step *to)
{
    TfLiteOpaqueNode *opaque;
    TfLiteOperator *op;
    const int *inputs, *outputs;
    int input_count, output_count;
    if (TfLiteOpaqueContextGetNodeAndRegistration(context, node, &opaque, &op) != kTfLiteOk ||
        TfLiteOpaqueNodeInputs(opaque, &inputs, &input_count) != kTfLiteOk ||
        TfLiteOpaqueNodeOutputs(opaque, &outputs, &output_count) != kTfLiteOk || output_count != 1)
        return false;
    int code = TfLiteOperatorGetBuiltInCode(op), read = stub_op_inputs(code);
    *to = (step){.op = {.code = code, .input_count = input_count < read ? input_count : read}, .node = node};
    for (int i = 0; i < to->op.input_count; i++) {
        to->input_index[i] = inputs[i];
        to->op.inputs[i] = &to->inputs[i];
        if (!read_tensor(context, inputs[i], &to->inputs[i]))
            return false;
    }
    to->output_index = outputs[0];
    to->op.output = &to->output;
    return read_tensor(context, outputs[0], &to->output) &&
           stub_op_set(&to->op, TfLiteOpaqueNodeGetBuiltinData(opaque));
}

/* ---- The kernel ---------------------------------------------------------------------- */

/* A partition. */
typedef struct kernel {
    const stub *of;
    int runs, count;
    step steps[];
} kernel;

/* Where a tensor's data is in this run: with the step before that makes it, else with the engine. */
static float *find_data(const TfLiteOpaqueContext *context, kernel *k, int before, int index)
{
    for (int i = 0; i < before; i++)
        if (k->steps[i].output_index == index)
            return k->steps[i].output.data;
    return TfLiteOpaqueTensorData(TfLiteOpaqueContextGetOpaqueTensor(context, index));
}

static void release(TfLiteOpaqueContext *context, void *user)
{
    (void)context;
    kernel *k = user;
    for (int i = 0; k && i < k->count; i++)
        free(k->steps[i].output.data);
    free(k);
}

/* Every result has memory of the delegate's own: what stays inside the partition has none with
 * the engine. */
static void *init(TfLiteOpaqueContext *context, const char *buffer, size_t size)
{
    (void)size;
    const TfLiteOpaqueDelegateParams *params = (const void *)buffer;
    size_t count = (size_t)params->nodes_to_replace->size;
    kernel *k = calloc(1, sizeof *k + count * sizeof *k->steps);
    if (!k)
        return NULL;
    k->of = params->delegate_data;
    for (size_t i = 0; i < count; i++) {
        step *s = &k->steps[k->count++];
        if (read_step(context, params->nodes_to_replace->data[i], s))
            s->output.data = malloc(stub_count(&s->output) * sizeof(float));
        if (!s->output.data) {
            release(context, k);
            return NULL;
        }
    }
    return k;
}

static TfLiteStatus invoke(TfLiteOpaqueContext *context, TfLiteOpaqueNode *node)
{
    kernel *k = TfLiteOpaqueNodeGetUserData(node);
    const int *outputs;
    int output_count;
    if (!k || TfLiteOpaqueNodeOutputs(node, &outputs, &output_count) != kTfLiteOk)
        return kTfLiteError;
    if (k->runs++ == k->of->fail) {
        TfLiteOpaqueContextReportError(context, "stub delegate: run %d fails, as asked for", k->of->fail);
        return kTfLiteError;
    }
    for (int i = 0; i < k->count; i++) {
        step *s = &k->steps[i];
        for (int n = 0; n < s->op.input_count; n++)
            s->inputs[n].data = find_data(context, k, i, s->input_index[n]);
        stub_op_run(&s->op);
        size_t size = stub_count(&s->output);
        for (size_t n = 0; s->node == k->of->wrong && n < size; n++)
            s->output.data[n] = 0.5f * s->output.data[n] + (n % 3 == 0 ? 0.3f : 0.0f);
        for (int n = 0; n < output_count; n++)
            if (outputs[n] == s->output_index)
                memcpy(TfLiteOpaqueTensorData(TfLiteOpaqueContextGetOpaqueTensor(context, outputs[n])),
                       s->output.data, size * sizeof(float));
    }
    return kTfLiteOk;
}

/* ---- The delegate --------------------------------------------------------------------- */

static TfLiteStatus prepare(TfLiteOpaqueContext *context, TfLiteDelegate *delegate, void *data)
{
    stub *s = data;
    TfLiteIntArray *plan;
    if (s->fail == AT_PREPARE) {
        TfLiteOpaqueContextReportError(context, "stub delegate: cannot prepare, as asked for");
        return kTfLiteError;
    }
    if (TfLiteOpaqueContextGetExecutionPlan(context, &plan) != kTfLiteOk)
        return kTfLiteError;
    TfLiteIntArray *nodes = calloc(1, sizeof *nodes + (size_t)plan->size * sizeof *nodes->data);
    if (!nodes)
        return kTfLiteError;
    for (int i = 0; i < plan->size; i++) {
        step read;
        if (read_step(context, plan->data[i], &read) && wants(s, plan->data[i], read.op.code))
            nodes->data[nodes->size++] = plan->data[i];
    }
    TfLiteStatus status = kTfLiteOk;
    if (nodes->size) {
        TfLiteOperator *op = TfLiteOperatorCreate(BUILTIN_DELEGATE, "StubDelegate", 1, NULL);
        TfLiteOperatorSetInit(op, init);
        TfLiteOperatorSetFree(op, release);
        TfLiteOperatorSetInvoke(op, invoke);
        status = TfLiteOpaqueContextReplaceNodeSubsetsWithDelegateKernels(context, op, nodes, delegate);
    }
    free(nodes);
    return status;
}

EXPORTED TfLiteDelegate *tflite_plugin_create_delegate(char **keys, char **values, size_t count,
                                                       void (*report_error)(const char *));
EXPORTED void tflite_plugin_destroy_delegate(TfLiteDelegate *delegate);

TfLiteDelegate *tflite_plugin_create_delegate(char **keys, char **values, size_t count,
                                              void (*report_error)(const char *))
{
    stub *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->wrong = s->fail = NEVER;
    for (size_t i = 0; i < count; i++)
        if (!parse_option(s, keys[i], values[i])) {
            char text[160];
            snprintf(text, sizeof text, "stub delegate: cannot use %.40s:%.60s", keys[i], values[i]);
            report_error(text);
            free(s);
            return NULL;
        }
    const TfLiteOpaqueDelegateBuilder builder = {.data = s, .Prepare = prepare};
    return TfLiteOpaqueDelegateCreate(&builder);
}

void tflite_plugin_destroy_delegate(TfLiteDelegate *delegate)
{
    stub *s = TfLiteOpaqueDelegateGetData(delegate);
    TfLiteOpaqueDelegateDelete(delegate);
    free(s);
}
