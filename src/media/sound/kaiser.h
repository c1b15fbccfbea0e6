/* Kaiser windows: J. Kaiser, Nonrecursive Digital Filter Design Using the I0-sinh Window Function (1974). */
#ifndef XR_KAISER_H
#define XR_KAISER_H

/* I0(beta sqrt(1 - squared)): the window at the place whose square that is, not scaled; also a little
 * beyond 1. */
double xr_kaiser(double beta, double squared);
/* The window's beta, and its length in samples for a transition of `width` radians a sample. */
double xr_kaiser_beta(double attenuation);
double xr_kaiser_length(double attenuation, double width);

#endif
