/* External delegates: shared libraries that bring a TensorFlow Lite delegate. */
#ifndef XR_TFLITE_SESSION_DELEGATE_H
#define XR_TFLITE_SESSION_DELEGATE_H

#include "engines/tflite/symbols.h"

typedef struct xr_tflite_external {
    TfLiteDelegate *delegate; /* NULL: none */
    void (*destroy)(TfLiteDelegate *delegate);
} xr_tflite_external;

/* Makes the delegate that `spec` names: "LIB[:KEY:VALUE[;KEY:VALUE]...]".  LIB is
 * the shortest part before a colon (or all of it) that is a file, so a path may
 * have colons; where none is, the part before the first colon, which the loader
 * looks for if it has no slash.  `tflite` is the handle of TensorFlow Lite's own
 * library: its functions become visible to the delegate's.  EXRAY_E_ARGUMENT for
 * a spec that cannot be understood, EXRAY_E_ENGINE for a library that is missing,
 * lacks the two functions, or refuses; the message has the library's own words, if any. */
exray_status xr_tflite_load_delegate(void *tflite, const char *spec, xr_tflite_external *out,
                                     exray_error *error);

/* After the interpreter is gone.  The library stays loaded. */
void xr_tflite_free_delegate(xr_tflite_external *external);

#endif
