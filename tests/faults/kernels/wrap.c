/* A library that is TensorFlow Lite's but for the kernels: kernels.h says what it does.
 * It is linked against the real one (by its name alone), so that dlsym finds there all
 * that is not defined here. */
#define _GNU_SOURCE /* RTLD_NOLOAD */
#include "engines/tflite/tflite_c.h"
#include "kernels.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSIONS = 9, OPS = 4, ALL_NODES = -1 };

/* The engine's description of a kernel, as far as all versions agree on it. */
typedef struct registration {
    void *(*init)(TfLiteOpaqueContext *, const char *, size_t);
    void (*free)(TfLiteOpaqueContext *, void *);
    void *prepare;
    TfLiteStatus (*invoke)(TfLiteOpaqueContext *, TfLiteOpaqueNode *);
    void *profiling_string;
    int32_t builtin_code;
    const char *custom_name;
    int version;
    void *later[8]; /* NULL */
} registration;

/* A node's number among those of its operator. */
typedef struct own_node {
    int op, number;
} own_node;

static TfLiteStatus invoke(TfLiteOpaqueContext *, TfLiteOpaqueNode *);
static void *init_depthwise(TfLiteOpaqueContext *, const char *, size_t);
static void *init_pool(TfLiteOpaqueContext *, const char *, size_t);
static void *init_mean(TfLiteOpaqueContext *, const char *, size_t);
static void *init_add(TfLiteOpaqueContext *, const char *, size_t);
static void release(TfLiteOpaqueContext *, void *);

static const struct {
    const char *name;
    bool (*compute)(const void *, fault, const operand[3], int, operand *);
    registration kernel;
} ops[OPS] = {
    {"depthwise",
     kernel_depthwise,
     {init_depthwise, release, .invoke = invoke, .builtin_code = 4, .version = 1}},
    {"pool", kernel_pool, {init_pool, release, .invoke = invoke, .builtin_code = 1, .version = 1}},
    {"mean", kernel_mean, {init_mean, release, .invoke = invoke, .builtin_code = 40, .version = 1}},
    {"add", kernel_add, {init_add, release, .invoke = invoke, .builtin_code = 0, .version = 1}},
};
static const char *const fault_names[FAULTS] = {
    "right",     "wraps",     "saturates", "no_offset",   "pads_zero", "no_padding", "no_dilation",
    "no_stride", "wrong_tap", "one_scale", "full_window", "shifts",    "truncates",  "swapped"};

static struct {
    TfLiteInterpreter *(*InterpreterCreate)(const TfLiteModel *, const TfLiteInterpreterOptions *);
    void (*InterpreterOptionsAddBuiltinOp)(TfLiteInterpreterOptions *, int code, const registration *,
                                           int32_t from_version, int32_t to_version);
    void *(*OpaqueNodeGetUserData)(const TfLiteOpaqueNode *);
    void *(*OpaqueNodeGetBuiltinData)(const TfLiteOpaqueNode *);
    int (*OpaqueNodeNumberOfInputs)(const TfLiteOpaqueNode *);
    const TfLiteOpaqueTensor *(*OpaqueNodeGetInput)(const TfLiteOpaqueContext *, const TfLiteOpaqueNode *,
                                                    int);
    TfLiteOpaqueTensor *(*OpaqueNodeGetOutput)(TfLiteOpaqueContext *, const TfLiteOpaqueNode *, int);
    void *(*OpaqueTensorData)(const TfLiteOpaqueTensor *);
    int32_t (*OpaqueTensorNumDims)(const TfLiteOpaqueTensor *);
    int32_t (*OpaqueTensorDim)(const TfLiteOpaqueTensor *, int32_t);
    int (*OpaqueTensorType)(const TfLiteOpaqueTensor *);
    TfLiteQuantization (*OpaqueTensorGetQuantization)(const TfLiteOpaqueTensor *);
} api;
static int wrong_op, wrong_node, made[OPS];
static fault wrong_how;

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "wrong kernels: %s: %s\n", what, why);
    exit(2);
}

static void *allocate(size_t size)
{
    void *block = calloc(1, size ? size : 1);
    if (!block)
        die("memory", "there is none");
    return block;
}

/* ---- The environment ------------------------------------------------------------------- */

static void read_orders(void)
{
    const char *orders = getenv("EXRAY_KERNELS");
    char op[32] = "", how[32] = "";
    wrong_op = ALL_NODES;
    wrong_node = ALL_NODES;
    wrong_how = RIGHT;
    if (!orders || strcmp(orders, "right") == 0)
        return;
    if (sscanf(orders, "%31[a-z]:%31[a-z_]:%d", op, how, &wrong_node) < 2)
        die(orders, "not OP:FAULT[:N]");
    for (int i = 0; i < OPS; i++)
        if (strcmp(ops[i].name, op) == 0)
            wrong_op = i;
    for (int i = 0; i < FAULTS; i++)
        if (strcmp(fault_names[i], how) == 0)
            wrong_how = (fault)i;
    if (wrong_op < 0 || wrong_how == RIGHT)
        die(orders, "no such kernel, or no such fault");
}

static void find(void)
{
    const struct {
        const char *name;
        void *to;
    } wanted[] = {
        {"TfLiteInterpreterCreate", &api.InterpreterCreate},
        {"TfLiteInterpreterOptionsAddBuiltinOp", &api.InterpreterOptionsAddBuiltinOp},
        {"TfLiteOpaqueNodeGetUserData", &api.OpaqueNodeGetUserData},
        {"TfLiteOpaqueNodeGetBuiltinData", &api.OpaqueNodeGetBuiltinData},
        {"TfLiteOpaqueNodeNumberOfInputs", &api.OpaqueNodeNumberOfInputs},
        {"TfLiteOpaqueNodeGetInput", &api.OpaqueNodeGetInput},
        {"TfLiteOpaqueNodeGetOutput", &api.OpaqueNodeGetOutput},
        {"TfLiteOpaqueTensorData", &api.OpaqueTensorData},
        {"TfLiteOpaqueTensorNumDims", &api.OpaqueTensorNumDims},
        {"TfLiteOpaqueTensorDim", &api.OpaqueTensorDim},
        {"TfLiteOpaqueTensorType", &api.OpaqueTensorType},
        {"TfLiteOpaqueTensorGetQuantization", &api.OpaqueTensorGetQuantization},
    };
    void *library = dlopen(EXRAY_WRAPPED, RTLD_LAZY | RTLD_NOLOAD);
    if (!library)
        die(EXRAY_WRAPPED, "not loaded along with this library");
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        void *address = dlsym(library, wanted[i].name);
        if (!address)
            die(wanted[i].name, "the library lacks it");
        memcpy(wanted[i].to, &address, sizeof address);
    }
}

/* ---- Tensors ----------------------------------------------------------------------------- */

static void widen(const void *data, int type, operand *to)
{
    for (long i = 0; i < to->count; i++)
        to->whole[i] = type == XR_TFLITE_INT8    ? ((const int8_t *)data)[i]
                       : type == XR_TFLITE_UINT8 ? ((const uint8_t *)data)[i]
                                                 : ((const int32_t *)data)[i];
}

static void describe(const TfLiteOpaqueTensor *tensor, operand *to)
{
    int rank = api.OpaqueTensorNumDims(tensor), type = api.OpaqueTensorType(tensor);
    *to = (operand){.integer = type != XR_TFLITE_FLOAT32, .count = 1};
    if (rank > KERNEL_RANK ||
        (to->integer && type != XR_TFLITE_INT8 && type != XR_TFLITE_UINT8 && type != XR_TFLITE_INT32))
        die("a tensor", "of a type or a rank that is not written here");
    for (int i = 0; i < KERNEL_RANK; i++) {
        int missing = KERNEL_RANK - rank;
        to->size[i] = i < missing ? 1 : api.OpaqueTensorDim(tensor, i - missing);
        to->count *= to->size[i];
    }
    to->least = type == XR_TFLITE_INT8 ? -128 : 0;
    to->most = type == XR_TFLITE_INT8 ? 127 : 255;
    TfLiteQuantization q = api.OpaqueTensorGetQuantization(tensor);
    if (q.type == XR_TFLITE_AFFINE_QUANTIZATION && q.params) {
        const TfLiteAffineQuantization *affine = q.params;
        to->scales = affine->scale->size;
        to->scale = affine->scale->data;
        to->zero = affine->zero_point->data;
    }
}

static operand open_input(const TfLiteOpaqueTensor *tensor)
{
    operand o;
    describe(tensor, &o);
    const void *data = api.OpaqueTensorData(tensor);
    if (!o.integer) {
        o.real = allocate((size_t)o.count * sizeof *o.real);
        memcpy(o.real, data, (size_t)o.count * sizeof *o.real);
    } else {
        o.whole = allocate((size_t)o.count * sizeof *o.whole);
        widen(data, api.OpaqueTensorType(tensor), &o);
    }
    return o;
}

static operand open_output(const TfLiteOpaqueTensor *tensor)
{
    operand o;
    describe(tensor, &o);
    if (o.integer)
        o.whole = allocate((size_t)o.count * sizeof *o.whole);
    else
        o.real = allocate((size_t)o.count * sizeof *o.real);
    return o;
}

static void store_output(const operand *from, TfLiteOpaqueTensor *tensor)
{
    void *data = api.OpaqueTensorData(tensor);
    if (!from->integer)
        memcpy(data, from->real, (size_t)from->count * sizeof *from->real);
    for (long i = 0; from->integer && i < from->count; i++)
        if (from->least < 0)
            ((int8_t *)data)[i] = (int8_t)from->whole[i];
        else
            ((uint8_t *)data)[i] = (uint8_t)from->whole[i];
}

static void close_operand(operand *o)
{
    free(o->whole);
    free(o->real);
}

/* ---- The report ----------------------------------------------------------------------------- */

/* rms of the difference, in steps where there are steps, else in deviations of the right result. */
static double distance(const operand *a, const operand *right)
{
    double difference = 0, sum = 0, squares = 0, n = (double)right->count;
    for (long i = 0; i < right->count; i++) {
        double x = a->integer ? a->whole[i] : a->real[i], y = a->integer ? right->whole[i] : right->real[i];
        difference += (x - y) * (x - y);
        sum += y;
        squares += y * y;
    }
    double variance = squares / n - sum / n * (sum / n);
    double unit = a->integer ? 1 : variance > 0 ? sqrt(variance) : 1;
    return sqrt(difference / n) / unit;
}

static void report(const own_node *node, const operand *a, const operand *right)
{
    const char *path = getenv("EXRAY_KERNELS_REPORT");
    FILE *file = path ? fopen(path, "a") : NULL;
    if (path && !file)
        die(path, "cannot be written");
    if (!file)
        return;
    fprintf(file, "%s %d %s %.9g\n", ops[node->op].name, node->number, a->integer ? "steps" : "deviations",
            distance(a, right));
    fclose(file);
}

/* ---- The kernels ------------------------------------------------------------------------------ */

static void *init_node(int op)
{
    own_node *node = allocate(sizeof *node);
    *node = (own_node){op, made[op]++};
    return node;
}

static void *init_depthwise(TfLiteOpaqueContext *context, const char *options, size_t size)
{
    (void)context, (void)options, (void)size;
    return init_node(0);
}

static void *init_pool(TfLiteOpaqueContext *context, const char *options, size_t size)
{
    (void)context, (void)options, (void)size;
    return init_node(1);
}

static void *init_mean(TfLiteOpaqueContext *context, const char *options, size_t size)
{
    (void)context, (void)options, (void)size;
    return init_node(2);
}

static void *init_add(TfLiteOpaqueContext *context, const char *options, size_t size)
{
    (void)context, (void)options, (void)size;
    return init_node(3);
}

static void release(TfLiteOpaqueContext *context, void *node)
{
    (void)context;
    free(node);
}

static TfLiteStatus invoke(TfLiteOpaqueContext *context, TfLiteOpaqueNode *node)
{
    const own_node *own = api.OpaqueNodeGetUserData(node);
    const void *parameters = api.OpaqueNodeGetBuiltinData(node);
    TfLiteOpaqueTensor *to = api.OpaqueNodeGetOutput(context, node, 0);
    int inputs = api.OpaqueNodeNumberOfInputs(node);
    if (!own || !parameters || !to || inputs < 1 || inputs > 3)
        return kTfLiteError;
    operand in[3] = {{0}};
    for (int i = 0; i < inputs; i++) {
        const TfLiteOpaqueTensor *from = api.OpaqueNodeGetInput(context, node, i);
        if (from)
            in[i] = open_input(from);
    }
    operand right = open_output(to), made_so = open_output(to);
    bool is_wrong = own->op == wrong_op && (wrong_node == ALL_NODES || wrong_node == own->number);
    bool ok = ops[own->op].compute(parameters, RIGHT, in, inputs, &right);
    if (ok && is_wrong) {
        ops[own->op].compute(parameters, wrong_how, in, inputs, &made_so);
        report(own, &made_so, &right);
    }
    if (ok)
        store_output(is_wrong ? &made_so : &right, to);
    for (int i = 0; i < 3; i++)
        close_operand(&in[i]);
    close_operand(&right);
    close_operand(&made_so);
    return ok ? kTfLiteOk : kTfLiteError;
}

/* The one function that is not the engine's own. */
__attribute__((visibility("default"))) TfLiteInterpreter *
TfLiteInterpreterCreate(const TfLiteModel *model, const TfLiteInterpreterOptions *options);

TfLiteInterpreter *TfLiteInterpreterCreate(const TfLiteModel *model, const TfLiteInterpreterOptions *options)
{
    if (!api.InterpreterCreate)
        find();
    read_orders();
    memset(made, 0, sizeof made);
    TfLiteInterpreterOptions *to = (TfLiteInterpreterOptions *)(uintptr_t)options;
    for (int i = 0; i < OPS; i++)
        if (wrong_op == ALL_NODES || wrong_op == i)
            api.InterpreterOptionsAddBuiltinOp(to, ops[i].kernel.builtin_code, &ops[i].kernel, 1, VERSIONS);
    return api.InterpreterCreate(model, options);
}
