/* SHA-256 of model files and libraries, with the processor's own instructions where it has them: a model of
 * a gigabyte takes less than a second (core's exray_sha256, in little code, ten). */
#ifndef XR_MODEL_HASH_H
#define XR_MODEL_HASH_H

#include <stddef.h>
#include <stdint.h>

/* What exray_sha256 computes. */
void xr_model_hash(const void *data, size_t size, uint8_t out[32]);

#endif
