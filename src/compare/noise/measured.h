/* A pair's error relative to the signal, from its data, its sketches, or else its statistics. */
#ifndef XR_MEASURED_H
#define XR_MEASURED_H

#include "compare/comparison.h"

/* The rmse and the reference's standard deviation; false: neither data nor statistics tell. */
bool xr_measured(const xr_pair *pair, double *rmse, double *deviation);
/* rmse / deviation; of a reference that is constant, rmse / magnitude. */
double xr_relative_error(double rmse, double deviation, double magnitude);
/* The largest absolute value of the reference. */
double xr_magnitude(const xr_pair *pair);
/* Fills error, error_low and error_high; *step: what rounding the stored values adds. */
void xr_measure_error(xr_pair *pair, double *step);
/* Rounding of the stored values themselves, relative to the deviation. */
double xr_step_noise(const xr_pair *pair, double deviation);

#endif
