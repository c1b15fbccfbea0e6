/* The HTML page that is being written, and its sections: one file each. */
#ifndef XR_HTML_PAGE_H
#define XR_HTML_PAGE_H

#include "checks/input/tokens/token_names.h"
#include "checks/labels/class_names.h"
#include "compare/compare.h"
#include "compare/judge/outputs_told.h"
#include "report/html/text/html_text.h"
#include "report/report.h"

#include <exray/task.h>
#include <string.h>

/* The names of classes; read when the first one is needed (html_names.c). */
typedef struct xr_page_names {
    bool read, doubted;
    xr_class_names told[2], attached[2]; /* by exray_side */
} xr_page_names;

typedef struct xr_page {
    FILE *out;
    const xr_report *report;
    const exray_comparison *comparison;
    exray_slot *slot[2];    /* by exray_side; scratch */
    exray_slot *truth_slot; /* told_read.c */
    exray_told *told[2];
    xr_output_set outputs; /* how they are read; task NULL: not at all */
    bool outputs_known;
    double
        pipeline_rate; /* Hz of sounds, by a pipeline file of either log; 0: none says; found at first use */
    bool pipeline_rate_known;
    xr_page_names names;
    xr_token_names tokens[2]; /* by exray_side; read when the first one is needed (token_rows.c) */
    bool tokens_read;
    size_t sound_bytes;          /* of the sounds that can be heard (sound_player.c) */
    struct xr_page_sound *sound; /* what sound_undone.c keeps */
    bool out_of_memory;
} xr_page;

/* An element of a log's values, which need not be aligned. */
static inline double xr_value_at(const float *values, uint64_t i)
{
    float v;
    memcpy(&v, (const char *)values + i * sizeof v, sizeof v);
    return (double)v;
}

/* ---- Sections, in their order ------------------------------------------------------------ */

void xr_html_first(xr_page *page);     /* html_first.c: the verdict, the cause, the fix, figures */
void xr_html_findings(xr_page *page);  /* html_first.c: the evidence of each */
void xr_html_viewer(xr_page *page);    /* html_viewer.c: frame by frame */
void xr_html_layers(xr_page *page);    /* html_layers.c: the charts */
void xr_html_table(xr_page *page);     /* html_table.c: the layers as a table */
void xr_html_measures(xr_page *page);  /* html_measures.c: how well both do the task */
void xr_html_decisions(xr_page *page); /* html_decisions.c */
void xr_html_latency(xr_page *page);   /* html_latency.c */
void xr_html_compared(xr_page *page);  /* html_compared.c */
void xr_html_causes(xr_page *page);    /* html_causes.c: what the causes mean */
/* html_data.c: what the script shows of a layer, as JSON. */
void xr_html_data(xr_page *page);

/* Whether a section has anything to show: for the list of contents. */
bool xr_html_has_measures(const xr_page *page);
bool xr_html_has_decisions(const xr_page *page);
bool xr_html_has_latency(const xr_page *page);

#endif
