/* How far the outputs of an observed run are from those of the deployed one, and how much of that is noise.
 */
#ifndef XR_AGREEMENT_H
#define XR_AGREEMENT_H

#include <exray/exray.h>

/* Share of an output's range that the order of additions explains; docs/commands.md
 * says where it comes from. */
#define XR_OBSERVER_FLOAT_NOISE 1e-5

/* The smallest and the largest finite value; begin with XR_NO_EXTENT. */
typedef struct xr_extent {
    double low, high;
} xr_extent;

#define XR_NO_EXTENT ((xr_extent){HUGE_VAL, -HUGE_VAL}) /* needs math.h */

void xr_extent_add(xr_extent *extent, float value);

/* high - low; 0 where nothing was added. */
double xr_extent_range(const xr_extent *extent);

/* The largest difference that noise explains, of values of that extent stored as
 * `dtype` with steps of `step` (0: not quantized).  0: the type has none. */
double xr_noise(exray_dtype dtype, const xr_extent *extent, double step);

/* |a - b|; 0 for two NaN, INFINITY where one of them is not finite. */
double xr_value_distance(float a, float b);

/* The largest of the scales; 0: not quantized. */
double xr_largest_scale(const exray_quantization *q);

/* The outputs of all frames so far.  Zero it before use. */
typedef struct xr_agreement {
    uint64_t frames;  /* compared; the caller counts */
    double largest;   /* difference of any output */
    double excess;    /* as a multiple of what noise explains, in the worst output: 1 is the limit */
    double max_abs;   /* of that output, dequantized; INFINITY where there is no measure */
    double range;     /* of that output in the deployed run */
    char output[128]; /* its name; "": all were equal, bit by bit */
    uint64_t first;   /* the frame of the first difference */
    char text[4][32]; /* private: of the pairs */
} xr_agreement;

/* Compares an output of frame `frame`; both have the type, the quantization and the shape
 * of `info`, and `size` bytes.  Takes no memory. */
void xr_agreement_add(xr_agreement *to, uint64_t frame, const exray_tensor_info *info, const void *deployed,
                      const void *observed, size_t size);

/* An output that the observed run returned with another type or size, or not at all. */
void xr_agreement_add_misfit(xr_agreement *to, uint64_t frame, const char *name);

/* Writes the metadata record "exray.observation": where layers come from, what was
 * compared, and the verdict (`observer` and the keys that begin so), besides the pairs given (at most 4). */
void xr_agreement_record(xr_agreement *of, exray_recorder *recorder, const char *layers_from,
                         const exray_key_value *more, size_t more_count);

#endif
