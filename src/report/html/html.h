/* What the files that write the HTML page share.  Text from logs is hostile: it
 * reaches the page through xr_put's %s, or xr_put_json_text, and no other way. */
#ifndef XR_HTML_H
#define XR_HTML_H

#include "compare/compare.h"
#include "report/report.h"

#include <string.h>

typedef struct xr_page {
    FILE *out;
    const xr_report *report;
    const exray_comparison *comparison;
    exray_slot *slot[2]; /* by exray_side; scratch */
    bool out_of_memory;
} xr_page;

/* An element of a log's values, which may lie at any address. */
static inline double xr_value_at(const float *values, uint64_t i)
{
    float v;
    memcpy(&v, (const char *)values + i * sizeof v, sizeof v);
    return (double)v;
}

/* ---- Text (html_text.c) -------------------------------------------------------------- */

enum { XR_TEXT_MOST = 600 }; /* bytes of one text that are shown */

#if defined(__GNUC__)
#define XR_PUT __attribute__((format(printf, 2, 3)))
#else
#define XR_PUT
#endif
/* Like fprintf, but every %s is escaped: it can be content, or a value between double
 * quotes, and never markup.  Only %s, %c, %d, %u, %zu, %lld, %llu, %f, %g (with width, flags, precision
 * as numbers).  Longer texts are cut, what is no UTF-8 and what is not to be seen
 * (controls, marks that turn the direction of writing) is replaced. */
void xr_put(FILE *out, const char *format, ...) XR_PUT;
/* Sentences: escaped like %s, `words` between backticks as code. */
void xr_put_prose(FILE *out, const char *text);
/* The same as xr_put's %s as a JSON string with its quotes, which no HTML parser can take for markup. */
void xr_put_json_text(FILE *out, const char *text);
/* A JSON number of so many digits, or null. */
void xr_put_json_number(FILE *out, double value, int digits);
void xr_put_base64(FILE *out, const uint8_t *data, size_t size);

/* "0.178", "1.2e-05", "–" where it is none; `buffer` is returned. */
typedef char xr_number_text[32];
const char *xr_number(xr_number_text buffer, double value);
/* "12.3 ms"; "–". */
const char *xr_milliseconds(xr_number_text buffer, double nanoseconds);
/* A fused layer's name is those of all its parts; the first will do. */
typedef char xr_name_text[256];
const char *xr_short_name(xr_name_text buffer, const char *name);
/* "edge", "reference". */
const char *xr_side_name(exray_side side);
/* The class a role has in the page's style sheet: "clean", "origin", "passes", "unjudged". */
const char *xr_role_class(exray_layer_role role);
const char *xr_role_words(exray_layer_role role);

/* ---- Sections, in their order ------------------------------------------------------------ */

void xr_html_first(xr_page *page);     /* html_first.c: the verdict, the cause, the fix, figures */
void xr_html_findings(xr_page *page);  /* html_first.c: the evidence of each */
void xr_html_pictures(xr_page *page);  /* html_pictures.c: what both sides fed the model */
void xr_html_layers(xr_page *page);    /* html_layers.c: the charts */
void xr_html_table(xr_page *page);     /* html_table.c: the layers as a table */
void xr_html_decisions(xr_page *page); /* html_decisions.c */
void xr_html_latency(xr_page *page);   /* html_latency.c */
void xr_html_compared(xr_page *page);  /* html_compared.c */
/* html_data.c: what the script shows of a layer, as JSON. */
void xr_html_data(xr_page *page);

/* Whether a section has anything to show: for the list of contents. */
bool xr_html_has_decisions(const xr_page *page);
bool xr_html_has_latency(const xr_page *page);

/* ---- Frames (html_frames.c) ---------------------------------------------------------------- */

/* One matched frame, as far as it tells frames apart. */
typedef struct xr_frame_facts {
    double apart; /* of the inputs: rmse over the range of the reference's values; NAN: not known */
    bool decided; /* both sides */
    xr_decision decision;
} xr_frame_facts;
/* Facts of all matched frames; the caller frees them.  NULL: no memory, or no frame. */
xr_frame_facts *xr_frame_facts_read(xr_page *page);

/* The input that the pictures show: the one that differs most; EXRAY_NO_INDEX: none. */
size_t xr_shown_input(const exray_comparison *comparison);

enum { XR_TELLING = 4 };
/* The frames worth looking at, and why; returns their number, at most XR_TELLING. */
typedef struct xr_telling {
    size_t frame;
    const char *why; /* a constant */
} xr_telling;
size_t xr_pick_telling(const xr_frame_facts *facts, size_t count, xr_telling out[XR_TELLING]);

/* "Frame 12, 12.jpg": of a matched frame, for a person; without the folders of its source. */
typedef char xr_frame_text[200];
const char *xr_frame_name(const xr_page *page, size_t frame, xr_frame_text buffer);

#endif
