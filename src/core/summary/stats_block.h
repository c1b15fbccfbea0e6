/* The inner loops of TensorStats: what a layer's output costs on its way. */
#ifndef XR_STATS_BLOCK_H
#define XR_STATS_BLOCK_H

#include <exray/types.h>

/* A block short enough that 32-bit sums of bytes do not overflow. */
enum { XR_STATS_BLOCK = 8192 };

/* Of floats; the sums are of x - pivot.  Where a value is not finite `squares`
 * is not either, and the others mean nothing. */
typedef struct xr_float_block {
    float min, max;
    double sum, squares;
    uint64_t zeros;
} xr_float_block;

/* Of bytes, each one xor `flip` before anything else (0x80 turns int8 into
 * uint8 in the same order). */
typedef struct xr_byte_block {
    uint8_t min, max;
    uint64_t sum, squares;
    uint64_t zeros;       /* equal to `zero` */
    uint64_t lows, highs; /* 0, 255 */
} xr_byte_block;

typedef struct xr_stats_kernels {
    /* 1 <= count <= XR_STATS_BLOCK; `data` need not be aligned. */
    void (*floats)(const void *data, size_t count, double pivot, xr_float_block *out);
    void (*bytes)(const uint8_t *data, size_t count, uint8_t flip, uint8_t zero, xr_byte_block *out);
} xr_stats_kernels;

/* What such a processor has; NULL: it is none, or has nothing better than the portable ones. */
const xr_stats_kernels *xr_stats_kernels_x86(void);
const xr_stats_kernels *xr_stats_kernels_neon(void);
const xr_stats_kernels *xr_stats_kernels_portable(void);
/* One of those, for whoever needs no other. */
void xr_stats_bytes_portable(const uint8_t *data, size_t count, uint8_t flip, uint8_t zero,
                             xr_byte_block *out);

/* Joins what two parts of a block gave. */
static inline void xr_float_block_join(xr_float_block *into, const xr_float_block *other)
{
    into->min = other->min < into->min ? other->min : into->min;
    into->max = other->max > into->max ? other->max : into->max;
    into->sum += other->sum;
    into->squares += other->squares;
    into->zeros += other->zeros;
}

static inline void xr_byte_block_join(xr_byte_block *into, const xr_byte_block *other)
{
    into->min = other->min < into->min ? other->min : into->min;
    into->max = other->max > into->max ? other->max : into->max;
    into->sum += other->sum;
    into->squares += other->squares;
    into->zeros += other->zeros;
    into->lows += other->lows;
    into->highs += other->highs;
}

/* A block of floats: `steps` takes those that fill steps of `step` values, the portable kernel the rest. */
static inline void xr_floats_by_steps(xr_float_block (*steps)(const void *, size_t, double), size_t step,
                                      const void *data, size_t count, double pivot, xr_float_block *out)
{
    const size_t whole = count / step * step;
    xr_float_block rest;
    if (whole)
        *out = steps(data, whole, pivot);
    if (whole == count)
        return;
    xr_stats_kernels_portable()->floats((const uint8_t *)data + 4 * whole, count - whole, pivot, &rest);
    if (whole)
        xr_float_block_join(out, &rest);
    else
        *out = rest;
}

#endif
