/* The content of messages without what may not be kept.  Unknown fields are kept in the messages that stay
 * as they are, and left out of tensors that become statistics: nobody knows what they hold. */
#ifndef XR_SCRUB_MESSAGE_H
#define XR_SCRUB_MESSAGE_H

#include "base/buffer.h"
#include "log/scrub/scrub_rules.h"
#include <exray/log.h>

/* Appends a Frame message without the fields whose names (/frame/source, ...) are dropped.  False: the bytes
 * are no message; `out` is then of no use, here and below. */
bool xr_scrub_frame(xr_scrub_rules *rules, const uint8_t *content, size_t size, xr_buffer *out);

/* Appends a LayerStats message without the layers (constants) whose topics, /layer/N (/constant/N), are
 * dropped; `kind` is "layer" or "constant". */
bool xr_scrub_layers(xr_scrub_rules *rules, const char *kind, const uint8_t *content, size_t size,
                     xr_buffer *out);

/* Appends a Tensor message with statistics in the place of data and sketch, as a recorder without data writes
 * them of that kind; without any where there are no numbers to make them of (encoded files, texts, strings).
 * `model` describes the tensors whose messages do not; NULL: there is none. */
bool xr_scrub_tensor(const uint8_t *content, size_t size, exray_kind kind, const exray_model *model,
                     xr_buffer *out);

#endif
