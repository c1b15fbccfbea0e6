/* Stockham's transform (natural order in and out, no bit reversal), decimation in frequency, of mixed radix:
 * C. Van Loan, Computational Frameworks for the Fast Fourier Transform (1992), section 1.7. */
#include "media/sound/lane_fft.h"

#include <math.h>
#include <stddef.h>

static const double pi = 3.14159265358979323846;

#define XR_REAL       float
#define XR_LANES      xr_sound_lanes
#define XR_NAME(name) name
#include "media/sound/lane_fft_body.h"
#undef XR_REAL
#undef XR_LANES
#undef XR_NAME

#define XR_REAL       double
#define XR_LANES      xr_sound_doubles
#define XR_NAME(name) name##_double
#include "media/sound/lane_fft_body.h"
