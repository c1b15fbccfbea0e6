/* What the input assertions say in words. */
#ifndef XR_INPUT_WORDS_H
#define XR_INPUT_WORDS_H

#include "checks/input/search/input_fit.h"

/* The letters of the reference's channels ("RGB", as its pipeline file says, if it
 * is in the log), and those of the edge under an order; [channels + 1]. */
void xr_reference_letters(const exray_comparison *comparison, const xr_input_fit *fit,
                          char letters[XR_FIT_CHANNELS + 1]);
void xr_edge_letters(const xr_input_fit *fit, const xr_order *order, const char *reference,
                     char letters[XR_FIT_CHANNELS + 1]);

/* A usual way to bring 0..255 into a model's range. */
typedef struct xr_convention {
    const char *name;
    double mean[3], std[3]; /* on 0..255, by channel */
} xr_convention;

/* All that are known. */
size_t xr_convention_count(void);
const xr_convention *xr_convention_at(size_t i);

/* The convention that a side's values follow, or NULL; *exact: their spacing and
 * offset show it, not only their range. */
const xr_convention *xr_convention_of(const xr_input_fit *fit, exray_side side, bool *exact);

/* "values of 0 to 1 ([0,1])". */
void xr_describe_values(const xr_input_fit *fit, exray_side side, char *text, size_t size);

/* The share of a side's confidence that the runner-up leaves: 0.5 (as good) .. 0.99. */
double xr_confidence(double residual, double runner_up);

/* For each of the comparison's inputs: fits it and calls `report`. */
typedef exray_status xr_report_fn(const exray_comparison *comparison, const xr_input_fit *fit,
                                  exray_findings *findings, exray_error *error);
exray_status xr_for_inputs(const exray_comparison *comparison, exray_findings *findings, exray_error *error,
                           xr_report_fn *report);

#endif
