/* One file after another: a recorder that rotates. */
#ifndef XR_SERIES_H
#define XR_SERIES_H

#include "core/host/sink_file.h"

/* Whether the config asks for more than one file. */
bool xr_series_wanted(const exray_recorder_config *config);
/* NULL, or what is wrong with what it asks for. */
const char *xr_series_problem(const exray_recorder_config *config);
/* Before the first file is created: makes r->file one of a series, and room for it.  0, or an error number.
 */
int xr_series_begin(xr_recorder *r, const exray_recorder_config *config, uint64_t *number);
/* Once the first is created, by that number; once it is begun. */
void xr_series_created(xr_recorder *r, uint64_t number);
exray_status xr_series_begun(xr_recorder *r);
/* The end of r->file's series. */
void xr_series_free(xr_log_file *file);

#endif
