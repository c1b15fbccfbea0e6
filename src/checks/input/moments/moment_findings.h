/* Findings about inputs that statistics prove. */
#ifndef XR_MOMENT_FINDINGS_H
#define XR_MOMENT_FINDINGS_H

#include "checks/input/moments/moment_pairing.h"
#include "checks/input/moments/moment_values.h"

/* What a finding is about. */
typedef struct xr_moment_case {
    const exray_comparison *comparison;
    const exray_io_pair *io;
    const xr_moment_pairs *pairs;   /* the frames that it is about */
    const xr_moment_choice *choice; /* what explains them */
    double before;                  /* residual of the recorded frames as they are, levels rms */
    const bool *affected;           /* [matched frames] in which it is so; NULL: all */
} xr_moment_case;

void xr_report_moment_order(const xr_moment_case *c, exray_findings *findings);
/* input.normalization, or what a map by 8-bit storage is: input.quantization, input.dtype; or
 * input.color_space, where it is that of limited range. */
void xr_report_moment_map(const xr_moment_case *c, exray_findings *findings);
void xr_report_moment_pairing(const xr_moment_case *c, const xr_moment_pairing *pairing,
                              exray_findings *findings);
/* `left`: what the mistake leaves, levels rms. */
void xr_report_moment_mistake(const xr_moment_case *c, xr_moment_mistake mistake, double left,
                              exray_findings *findings);
void xr_report_moment_unknown(const xr_moment_case *c, exray_findings *findings);
void xr_report_moment_ids(const xr_moment_case *c, exray_findings *findings);
void xr_report_moment_not_finite(const xr_moment_case *c, exray_findings *findings);

/* Begins a finding about the input, and says what it is judged by. */
exray_finding *xr_begin_moment(const xr_moment_case *c, exray_findings *findings, const char *cause,
                               double confidence);
/* Adds that, and the numbers of the fit; after the summary. */
void xr_end_moment(const xr_moment_case *c, const xr_moment_fit *fit, exray_finding *f);
/* How sure a fit of statistics makes a cause, 0..1: less than values do. */
double xr_moment_confidence(const xr_moment_fit *fit);

#endif
