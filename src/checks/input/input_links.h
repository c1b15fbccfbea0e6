/* The links of a chain as findings. */
#ifndef XR_INPUT_LINKS_H
#define XR_INPUT_LINKS_H

#include "checks/input/search/input_search.h"

/* What the frames say of one link: those that need it, those that do as well without,
 * those that do decisively better without. */
typedef struct xr_votes {
    size_t agree, abstain, contradict;
    double without; /* the median frame without the link, levels rms */
} xr_votes;

typedef enum xr_link {
    XR_LINK_FRAMES,
    XR_LINK_READING,
    XR_LINK_BEND,
    XR_LINK_LAYOUT,
    XR_LINK_SHEAR,
    XR_LINK_ORIENTATION,
    XR_LINK_GEOMETRY,
    XR_LINK_GROUND,
    XR_LINK_KERNEL,
    XR_LINK_TINT,
    XR_LINK_REMAP,
    XR_LINKS
} xr_link;

/* What a chain was found to be, and how it fares. */
typedef struct xr_explanation {
    const exray_comparison *comparison;
    const xr_input_fit *before, *after; /* without and with the chain */
    const xr_chain *chain;
    bool has_sensor;
    bool present[XR_LINKS];
    xr_votes votes[XR_LINKS];
} xr_explanation;

/* Which links a chain has; then what each frame (at most `most`) says of each of them. */
void xr_list_links(xr_explanation *e);
void xr_vote_links(xr_scene *scene, xr_explanation *e, size_t most);
/* Take out what some frame contradicts, or no frame needs; `chain` is the explanation's own.
 * Whether any was. */
bool xr_drop_contradicted_links(xr_explanation *e, xr_chain *chain);
bool xr_drop_idle_links(xr_explanation *e, xr_chain *chain);
/* A finding for each link, in the order of the data's way. */
void xr_report_links(const xr_explanation *e, exray_findings *findings);

/* The findings about colour that one fit shows. */
void xr_report_channel_order(const exray_comparison *comparison, const xr_input_fit *fit,
                             exray_findings *findings);
/* Whether the map of a fit is a zero point that is missing or applied twice. */
bool xr_is_zero_point(const exray_comparison *comparison, const xr_input_fit *fit, double *scale,
                      double *zero);
void xr_report_normalization(const exray_comparison *comparison, const xr_input_fit *fit,
                             exray_findings *findings);
void xr_report_quantization(const exray_comparison *comparison, const xr_input_fit *before,
                            const xr_input_fit *after, exray_findings *findings);
void xr_report_unknown(const exray_comparison *comparison, const xr_input_fit *fit, exray_findings *findings);

#endif
