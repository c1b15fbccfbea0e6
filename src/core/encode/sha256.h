/* What every way of computing SHA-256 needs. */
#ifndef XR_SHA256_H
#define XR_SHA256_H

#include <stdint.h>

enum { XR_SHA256_CONSTANTS = 64 };

/* FIPS 180-4, 4.2.2: of each round. */
extern const uint32_t xr_sha256_constants[XR_SHA256_CONSTANTS];

#endif
