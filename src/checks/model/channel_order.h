/* Where an engine has the channels of a picture, and what flattening makes of that. */
#ifndef XR_CHANNEL_ORDER_H
#define XR_CHANNEL_ORDER_H

#include <exray/log.h>

/* Whether the model's engine stores pictures with their channels last. */
bool xr_has_channels_last(const exray_model *model);

/* A picture as its engine stores it, without dimensions of 1. */
typedef struct xr_flat_picture {
    uint64_t size[3];
    bool channels_last;
} xr_flat_picture;

/* The picture that a node reads flattened to one row: its data input, or what a few nodes before it that
 * change no value reshape.  False: it reads no such thing. */
bool xr_reads_flattened(const exray_model *model, const exray_node *node, xr_flat_picture *out);

/* The same place in the other order of channels. */
uint64_t xr_place_in_other_order(const xr_flat_picture *picture, uint64_t place);

#endif
