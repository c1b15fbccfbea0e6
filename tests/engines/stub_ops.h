/* Float operators in plain C, for the delegate of the tests: the same results as the
 * engine's, up to the order of additions. */
#ifndef EXRAY_TEST_STUB_OPS_H
#define EXRAY_TEST_STUB_OPS_H

#include <stdbool.h>
#include <stddef.h>

enum { STUB_MAX_RANK = 4, STUB_MAX_INPUTS = 3 };

/* Builtin operators by their numbers in the model file. */
enum {
    STUB_ADD = 0,
    STUB_AVERAGE_POOL_2D = 1,
    STUB_CONV_2D = 3,
    STUB_DEPTHWISE_CONV_2D = 4,
    STUB_RESHAPE = 22,
    STUB_SOFTMAX = 25,
};

/* A float tensor; its data may be elsewhere in each run. */
typedef struct stub_tensor {
    float *data;
    int rank, dims[STUB_MAX_RANK];
} stub_tensor;

/* A node; which of its parameters are used depends on its operator. */
typedef struct stub_op {
    int code;
    bool same; /* padding */
    int stride[2], dilation[2], window[2];
    int activation;
    float beta;
    int input_count; /* the others are NULL */
    const stub_tensor *inputs[STUB_MAX_INPUTS];
    stub_tensor *output;
} stub_op;

/* The operator's number by its name; -1: none of those above. */
int stub_op_code(const char *name);

/* How many of a node's first inputs the operator reads. */
int stub_op_inputs(int code);

/* Elements of a tensor. */
size_t stub_count(const stub_tensor *tensor);

/* Takes the parameters from the engine's own (its struct of this operator's options);
 * false: the tensors or options are such as are not computed here. */
bool stub_op_set(stub_op *op, const void *options);

/* Computes the output from the inputs. */
void stub_op_run(const stub_op *op);

#endif
