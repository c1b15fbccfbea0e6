/* How the kernels of a deployed graph lay out a value that the described graph has in another order:
 * channels last, or in blocks of channels (NCHWc: N, C/b, H, W, b; the last block is padded). */
#ifndef XR_ORT_VALUE_ORDER_H
#define XR_ORT_VALUE_ORDER_H

#include <exray/types.h>

typedef enum xr_ort_order { XR_ORT_AS_DESCRIBED, XR_ORT_CHANNELS_LAST, XR_ORT_BLOCKED } xr_ort_order;

typedef struct xr_ort_layout {
    xr_ort_order order;
    uint32_t block;   /* of BLOCKED: b */
    int64_t channels; /* of BLOCKED: without the padding */
} xr_ort_layout;

/* The described shape of a value that is stored in `stored` (of BLOCKED: N, C with its padding, H, W). */
void xr_ort_described_shape(const xr_ort_layout *layout, const int64_t *stored, uint32_t rank,
                            int64_t described[EXRAY_MAX_RANK]);

/* Where an element of the described order is stored. */
uint64_t xr_ort_stored_element(const xr_ort_layout *layout, const int64_t *described, uint32_t rank,
                               uint64_t element);

/* Whether the stored value has elements that the described one has not. */
bool xr_ort_is_padded(const xr_ort_layout *layout);

/* Copies a value of `count` elements of `size` bytes each into the described order. */
void xr_ort_reorder(const xr_ort_layout *layout, const int64_t *described, uint32_t rank, uint64_t count,
                    size_t size, const void *stored, void *to);

/* Copies a padded value without its padding, in the order of its blocks. */
void xr_ort_drop_padding(const xr_ort_layout *layout, const int64_t *described, uint32_t rank, size_t size,
                         const void *stored, void *to);

#endif
