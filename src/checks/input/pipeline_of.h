/* The pipeline files that the logs of a run hold: what a finding may refer to. */
#ifndef XR_PIPELINE_OF_H
#define XR_PIPELINE_OF_H

#include <exray/assertion.h>

/* By its name: one that has "pipeline" in it, or ends with ".yaml" or ".yml". */
bool xr_is_pipeline_file(const exray_attachment *attachment);

/* Whether that side's log has a pipeline file; channels (may be NULL) gets the letters of the channels
 * that it makes ("RGB" where it does not name any), [4]. */
bool xr_has_pipeline(const exray_comparison *comparison, exray_side side, char channels[4]);

/* The rate at which the model takes sound, Hz, as the logs say it: `audio.rate` of their metadata, else
 * `rate` of a pipeline file.  0: they do not say, or not the same. */
double xr_pipeline_rate(const exray_comparison *comparison);

/* "pipeline: `KEY`; " where a side has a pipeline file, else "": a fix names no key of a file that is not
 * there. */
typedef struct xr_key_words {
    char text[160];
} xr_key_words;
xr_key_words xr_pipeline_key(const exray_comparison *comparison, const char *format, ...) EXRAY_PRINTF;

#endif
