/* The constants of a side's model: the values of small ones, and what identifies large ones in whatever
 * order they are stored. */
#ifndef XR_MODEL_CONSTANTS_H
#define XR_MODEL_CONSTANTS_H

#include <exray/log.h>

/* The same numbers in any order have the same. */
typedef struct xr_constant_print {
    bool known;
    uint64_t count;
    double mean, deviation;
    double size; /* mean of the absolute values; NAN: statistics do not tell */
    double most; /* the largest of them */
} xr_constant_print;

typedef struct xr_model_constants {
    const exray_log *log;
    const exray_model *model;
    const exray_record **record; /* [tensor_count] or NULL where none was recorded */
    struct print_state *print;   /* [tensor_count] */
    exray_slot *slot;
} xr_model_constants;

/* The log has a model.  False: out of memory; closed either way. */
bool xr_model_constants_open(const exray_log *log, xr_model_constants *out);
void xr_model_constants_close(xr_model_constants *constants);

/* At most `room` values; how many there are, or 0 where they are unknown or more than that. */
size_t xr_model_constants_values(xr_model_constants *constants, uint32_t tensor, double *out, size_t room);

xr_constant_print xr_model_constants_print(xr_model_constants *constants, uint32_t tensor);

/* The most that a number was rounded by where it is stored as this tensor says: half a step of 16-bit floats,
 * nothing of other types. */
double xr_constant_rounding(const exray_tensor_info *info, double value);

/* Whether a value and a reference's are one number, as far as the 16 bits tell that either is stored in. */
bool xr_is_same_constant(const exray_tensor_info *info, double value, const exray_tensor_info *reference,
                         double other);

/* Elements by the shape; 0: unknown. */
uint64_t xr_tensor_elements(const exray_tensor_info *info);

/* Whether a tensor has whole numbers that stand for themselves; or is such, or one number: no weight. */
bool xr_is_whole(const exray_tensor_info *info);
bool xr_is_count(const exray_tensor_info *info);

#endif
