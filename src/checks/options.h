/* The options that an assertion declares. */
#ifndef XR_OPTIONS_H
#define XR_OPTIONS_H

#include <exray/assertion.h>

/* An assertion's options, ending with a NULL name; or NULL, also for plug-ins that were built
 * before there were options. */
const exray_option *xr_options_of(const exray_assertion *assertion);

/* The option with that name of `length` bytes, or NULL. */
const exray_option *xr_option_named(const exray_assertion *assertion, const char *name, size_t length);

#endif
