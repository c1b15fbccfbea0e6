/* Kernels of our own, right or wrong on purpose, in place of the engine's: as an
 * application with a custom build has them.
 *
 * wrap.c is a library that stands in for TensorFlow Lite's: it has one function of its
 * own and hands everything else on.  What it does is in the environment:
 *
 *   EXRAY_KERNELS=OP:FAULT[:N]   OP's kernel has FAULT, in its Nth node only, or in all;
 *                                "right": own kernels for all four, without a fault
 *   EXRAY_KERNELS_REPORT=FILE    gets a line for each run of a kernel: OP N, and how far
 *                                its result is from the right kernel's on the same inputs */
#ifndef EXRAY_TEST_KERNELS_H
#define EXRAY_TEST_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

enum { KERNEL_RANK = 4 };

/* A tensor, opened: integers as they are stored, or floats. */
typedef struct operand {
    bool integer;
    int size[KERNEL_RANK]; /* missing leading dimensions are 1 */
    long count;
    int32_t *whole; /* [count], integer */
    float *real;    /* [count], else */
    int least, most;
    const float *scale; /* [scales] */
    const int *zero;    /* [scales] */
    int scales;
} operand;

typedef enum fault {
    RIGHT,
    WRAPS,       /* depthwise: sums wrap at 16 bits */
    SATURATES,   /* depthwise: sums saturate at 16 bits */
    NO_OFFSET,   /* the input's zero point is forgotten */
    PADS_ZERO,   /* depthwise: the byte 0 stands around the picture, not the zero point */
    NO_PADDING,  /* depthwise: begins at the picture's corner, not before it */
    NO_DILATION, /* depthwise */
    NO_STRIDE,   /* depthwise */
    WRONG_TAP,   /* depthwise: the last weight is the one before it */
    ONE_SCALE,   /* depthwise: the first channel's scale for all */
    FULL_WINDOW, /* pool: divides by the whole window where it reaches beyond the picture */
    SHIFTS,      /* pool, mean: divides by the next power of two */
    TRUNCATES,   /* pool, mean: towards zero */
    SWAPPED,     /* add: either input by the other's scale */
    FAULTS
} fault;

/* The engine's parameters, as its kernels get them. */
typedef struct depthwise_parameters {
    int padding, stride_width, stride_height, multiplier, activation, dilation_width, dilation_height;
} depthwise_parameters;

typedef struct pool_parameters {
    int padding, stride_width, stride_height, filter_width, filter_height, activation;
} pool_parameters;

/* out->whole or out->real is filled in.  False: not a case that is written here. */
bool kernel_depthwise(const void *parameters, fault wrong, const operand in[3], int inputs, operand *out);
bool kernel_pool(const void *parameters, fault wrong, const operand in[3], int inputs, operand *out);
bool kernel_mean(const void *parameters, fault wrong, const operand in[3], int inputs, operand *out);
bool kernel_add(const void *parameters, fault wrong, const operand in[3], int inputs, operand *out);

#endif
