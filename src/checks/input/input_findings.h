/* The findings about inputs, each in the file that is named after its cause. */
#ifndef XR_INPUT_FINDINGS_H
#define XR_INPUT_FINDINGS_H

#include "checks/input/explanation.h"
#include "checks/input/memory/find_values.h"
#include "checks/input/search/residual.h"
#include "checks/input/shape/left_out_padding.h"

/* Reports inputs whose shapes differ, in some frames or all (input_shape.c), but for those that are told
 * [inputs] already.  EXRAY_E_MEMORY, or OK. */
exray_status xr_report_shapes(const exray_comparison *comparison, xr_padding_effect padding, const bool *told,
                              exray_findings *findings);

/* ---- Steps of a transform ---------------------------------------------------------------- */

void xr_report_frame_order(const xr_explanation *e, exray_findings *findings);
void xr_report_decoding(const xr_explanation *e, exray_findings *findings); /* input_color_space.c */
void xr_report_stride(const xr_explanation *e, exray_findings *findings);
void xr_report_layout(const xr_explanation *e, exray_findings *findings);
void xr_report_sign_wrap(const xr_explanation *e, exray_findings *findings); /* input_dtype.c */
void xr_report_orientation(const xr_explanation *e, exray_findings *findings);
void xr_report_crop(const xr_explanation *e, exray_findings *findings);
void xr_report_padding(const xr_explanation *e, exray_findings *findings); /* input_crop.c */
void xr_report_kernel(const xr_explanation *e, exray_findings *findings);  /* input_resize.c */
void xr_report_color(const xr_explanation *e, exray_findings *findings);   /* input_color_space.c */
/* Each reports a value map that is a mistake of its own kind. */
void xr_report_wrong_normalization(const xr_explanation *e, exray_findings *findings);
void xr_report_wrong_quantization(const xr_explanation *e, exray_findings *findings);

/* Whether the edge's bytes are values of another type; reported. */
bool xr_report_bytes(const exray_comparison *comparison, const xr_input_fit *fit,
                     exray_findings *findings); /* input_dtype.c */

/* Whether a mistake on the two bytes of 16-bit pixels explains the edge (memory/find_words.h); reported. */
bool xr_report_words(const exray_comparison *comparison, const xr_input_fit *fit,
                     exray_findings *findings); /* input_dtype.c */

/* Whether pixels were scaled or shifted in 8 bits, so that they wrap around (memory/find_wrapped.h);
 * reported. */
bool xr_report_wrapped(const exray_comparison *comparison, const xr_input_fit *fit,
                       exray_findings *findings); /* input_dtype.c */

/* Whether values are the reference's, scaled and limited, in coarser steps, or cast (memory/find_stored.h);
 * reported. */
bool xr_report_stored(const exray_comparison *comparison, const xr_input_fit *fit,
                      exray_findings *findings); /* memory/stored_findings.c */

/* What memory/find_values.h found: each of the edge's values is made of one of the reference's by a mistake.
 */
void xr_report_values(const xr_input_fit *fit, const xr_found_values *values,
                      exray_findings *findings); /* input_values.c */

/* Whether all frames that differ are torn; reported. */
bool xr_report_torn(xr_input_pair *pair, exray_findings *findings); /* input_frame_order.c */

/* Whether the sides differ in the bars of a letterbox alone, which one of them fills with more than a color;
 * reported. */
bool xr_report_filled_bars(xr_input_pair *pair, exray_findings *findings); /* input_crop.c */

/* ---- Kinds of a residual ------------------------------------------------------------------ */

void xr_report_other_kernel(const xr_input_pair *pair, const xr_input_fit *fit, const xr_residual_detail *d,
                            exray_findings *findings); /* input_resize.c */
void xr_report_shift(const xr_input_pair *pair, const xr_input_fit *fit, const xr_residual_detail *d,
                     exray_findings *findings); /* input_crop.c */
/* Whether the luma is the same and the chroma is not; reported, except where signs wrap. */
bool xr_report_chroma(xr_input_pair *pair, const xr_input_fit *fit, const xr_transform *transform,
                      exray_findings *findings); /* input_color_space.c */
/* Whether a gray input is made of the sensor's colors by other weights; reported. */
bool xr_report_gray(xr_input_pair *pair, const xr_input_fit *fit, const xr_transform *transform,
                    exray_findings *findings); /* input_color_space.c */
/* Whether the rows are shifted by different amounts; reported. */
bool xr_report_shifted_rows(xr_input_pair *pair, const xr_input_fit *fit,
                            exray_findings *findings); /* input_stride.c */
/* Begins a finding about a residual, with its evidence. */
exray_finding *xr_begin_detail(const char *cause, const xr_input_fit *fit, const xr_residual_detail *d,
                               exray_findings *findings); /* input_resize.c */

/* ---- Colors, by a fit ----------------------------------------------------------------------- */

void xr_report_channel_order(const exray_comparison *comparison, const xr_input_fit *fit,
                             exray_findings *findings);
void xr_report_normalization(const exray_comparison *comparison, const xr_input_fit *fit,
                             exray_findings *findings);
void xr_report_quantization(const exray_comparison *comparison, const xr_input_fit *before,
                            const xr_input_fit *after, exray_findings *findings);
/* Whether the map of a fit is a zero point that is missing or applied twice (input_quantization.c). */
bool xr_is_zero_point(const exray_comparison *comparison, const xr_input_fit *fit, double *scale,
                      double *zero);
/* Stored integers that are one step more (or less) in many places and nowhere the other way, within the noise
 * of the values; false: they are not. */
bool xr_report_rounding(const xr_input_fit *fit, exray_findings *findings); /* input_quantization.c */
/* A side's 8-bit input of which most is one of the ends of its range, where the other side's values are not;
 * the finding names that side.  False: it is not so, or not proven. */
bool xr_report_saturated(const exray_comparison *comparison, size_t pair, exray_side side,
                         exray_findings *findings);

/* Whether each frame's values follow from the reference's by a line of its own, or those of each channel do;
 * reported. */
bool xr_report_lines_of_frames(const exray_comparison *comparison, const xr_input_fit *fit,
                               exray_findings *findings); /* color/input_curve.c */
/* Whether both sides show parts of the sensor's picture, other ones; reported. */
bool xr_report_region(xr_input_pair *pair, const xr_input_fit *fit,
                      exray_findings *findings); /* region/region_findings.c */
/* Whether each value is made of the reference's at its place, by one table; reported.  curves: only one that
 * is no line. */
bool xr_report_table(const exray_comparison *comparison, const xr_input_fit *fit, bool curves,
                     exray_findings *findings); /* color/table_findings.c */
/* What nothing else explains: whether all values follow from the reference's by one curve; reported. */
bool xr_report_curve(const exray_comparison *comparison, const xr_input_fit *fit,
                     exray_findings *findings); /* color/input_curve.c */

/* placed: the fit is of inputs that were brought into one place, so that what differs is elsewhere in the
 * recorded ones. */
void xr_report_unknown(const exray_comparison *comparison, const xr_input_fit *fit, bool placed,
                       exray_findings *findings);

#endif
