/* Explains an input that takes raw sound and differs. */
#ifndef XR_EXPLAIN_SOUND_H
#define XR_EXPLAIN_SOUND_H

#include <exray/assertion.h>

/* Whether the difference of input `pair` is one of sound; its causes are reported.  *samples: whether the
 * reference's values are the samples of the record in the log, and so no features of it. */
bool xr_explain_sound(const exray_comparison *comparison, size_t pair, exray_findings *findings,
                      bool *samples);

#endif
