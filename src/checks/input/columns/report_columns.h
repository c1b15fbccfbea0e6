/* Inputs that are tables, or pictures of many bands, and differ by whole columns, or along one dimension. */
#ifndef XR_REPORT_COLUMNS_H
#define XR_REPORT_COLUMNS_H

#include "checks/findings.h"
#include "checks/input/fit/input_fit.h"

/* What an input is, by its shape: rows of columns (narrow: fewer than a bank of features has), or several
 * bands (more than a picture's channels), or a picture. */
typedef enum xr_input_form { XR_IS_PICTURE, XR_IS_NARROW_TABLE, XR_IS_TABLE, XR_IS_BANDS } xr_input_form;
xr_input_form xr_form_of(const exray_comparison *comparison, const xr_input_fit *fit);
/* The same of a shape that was read: xr_edge_shape writes that of the first frame, and returns its rank; 0:
 * it cannot be read. */
uint32_t xr_edge_shape(const exray_comparison *comparison, const xr_input_fit *fit,
                       int64_t d[EXRAY_MAX_RANK]);
xr_input_form xr_form_by_shape(const xr_input_fit *fit, uint32_t rank, const int64_t *d);

/* Whether each of the edge's columns is one of the reference's, or a line of it: reported
 * (input.channel_order, input.normalization). */
bool xr_report_columns(const exray_comparison *comparison, const xr_input_fit *fit, exray_findings *findings);

/* Whether the edge's values are the reference's of other places along a dimension, the same in all frames:
 * later, rolled, reversed, held, or with two dimensions exchanged; reported (input.delay, input.flip,
 * input.sample_rate, input.layout). */
bool xr_report_places(const exray_comparison *comparison, const xr_input_fit *fit, exray_findings *findings);

#endif
