/* The HTML page: one file, nothing loaded from anywhere. */
#include "report/html/html_head.h"
#include "report/html/page.h"
#include "report/html/signals/sound_undone.h"
#include "report/html/text/html_names.h"

#include <exray/exray.h>

#include <stdlib.h>

/* html/report.js, embedded by cmake/embed.cmake. */
extern const unsigned char xr_report_js[];
extern const size_t xr_report_js_size;

static void put_head(xr_page *p)
{
    const xr_outcome *o = p->report->outcome;
    xr_html_policy(p->out, xr_report_js, xr_report_js_size);
    xr_put(p->out, "<title>exray: %s%s%s</title>\n", xr_verdict_name(o->verdict),
           o->verdict == XR_FAIL && o->shown_count ? ", " : "",
           o->verdict == XR_FAIL && o->shown_count ? o->shown[0]->cause : "");
    xr_html_style(p->out);
    fputs("</head>\n<body>\n<a class=\"skip\" href=\"#verdict\">Skip to the verdict</a>\n", p->out);
}

static void put_contents(xr_page *p)
{
    fputs("<header class=\"top\"><span class=\"brand\">exray</span><nav aria-label=\"Contents\"><ul>",
          p->out);
    if (p->report->outcome->shown_count)
        fputs("<li><a href=\"#findings\">Findings</a></li>", p->out);
    fputs("<li><a href=\"#pictures\">Frames</a></li><li><a href=\"#layers\">Layers</a></li>", p->out);
    if (xr_html_has_measures(p))
        fputs("<li><a href=\"#measures\">Measures</a></li>", p->out);
    if (xr_html_has_decisions(p))
        fputs("<li><a href=\"#decisions\">Decisions</a></li>", p->out);
    if (xr_html_has_latency(p))
        fputs("<li><a href=\"#latency\">Latency</a></li>", p->out);
    fputs(
        "<li><a href=\"#compared\">What was compared</a></li></ul></nav><label class=\"only\" hidden><input "
        "type=\"checkbox\" id=\"only\"> Differences only</label></header>\n",
        p->out);
}

static void put_foot(xr_page *p)
{
    fputs("</main>\n", p->out);
    xr_put(p->out,
           "<footer><p>Made by exray %s from two logs. This file is self-contained: it loads nothing from "
           "anywhere.</p></footer>\n<script>",
           exray_version());
    fwrite(xr_report_js, 1, xr_report_js_size, p->out);
    fputs("</script>\n</body>\n</html>\n", p->out);
}

static bool begin_page(xr_page *p, const xr_report *report, FILE *out)
{
    *p = (xr_page){.out = out,
                   .report = report,
                   .comparison = report->comparison,
                   .slot = {exray_slot_new(), exray_slot_new()},
                   .truth_slot = exray_slot_new(),
                   .told = {exray_told_new(), exray_told_new()}};
    return p->slot[0] && p->slot[1] && p->truth_slot && p->told[0] && p->told[1];
}

static void end_page(xr_page *p)
{
    xr_html_names_free(p);
    xr_sound_undone_free(p);
    exray_slot_free(p->truth_slot);
    for (int s = 0; s < 2; s++) {
        exray_slot_free(p->slot[s]);
        exray_told_free(p->told[s]);
        xr_token_names_free(&p->tokens[s]);
    }
}

bool xr_report_html(const xr_report *report, FILE *out)
{
    xr_page page;
    page.out_of_memory = !begin_page(&page, report, out);
    if (!page.out_of_memory) {
        put_head(&page);
        put_contents(&page);
        fputs("<main>\n", out);
        xr_html_first(&page);
        xr_html_findings(&page);
        xr_html_viewer(&page);
        xr_html_layers(&page);
        xr_html_table(&page);
        xr_html_measures(&page);
        xr_html_decisions(&page);
        xr_html_latency(&page);
        xr_html_compared(&page);
        xr_html_causes(&page);
        xr_html_data(&page);
        put_foot(&page);
    }
    end_page(&page);
    return !page.out_of_memory;
}
