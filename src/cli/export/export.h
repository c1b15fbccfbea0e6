/* The formats of `exray export`. */
#ifndef XR_EXPORT_H
#define XR_EXPORT_H

#include <exray/log.h>
#include <stdio.h>

/* Each returns false after printing what failed.  Records that cannot be
 * read are named, counted in *skipped, and left out. */

/* frame-000000.npz, ... and constants.npz in `folder`, which is made if it does not exist; a folder with
 * frames of another log is refused.  `dequantize`: float32 instead of quantized numbers. */
bool xr_export_npz(const exray_log *log, const char *folder, bool dequantize, uint64_t *skipped);

/* One line for each tensor of the model that was recorded: statistics and
 * latency over all frames. */
bool xr_export_csv(const exray_log *log, FILE *out, uint64_t *skipped);

/* Trace events for Perfetto or chrome://tracing. */
bool xr_export_trace(const exray_log *log, FILE *out, uint64_t *skipped);

/* An overlay for Model Explorer: nRMSE against `reference` (NULL: median times).  Opens and
 * closes `path`. */
bool xr_export_model_explorer(const exray_log *log, const exray_log *reference, const char *path);

/* Pictures, frames and results for Foxglove, as an MCAP file; `path`: its name, for messages. */
bool xr_export_foxglove(const exray_log *log, FILE *out, const char *path, uint64_t *skipped);

/* Prints to standard error that a record was left out, and counts it. */
void xr_export_skip(const exray_error *error, uint64_t *skipped);

#endif
