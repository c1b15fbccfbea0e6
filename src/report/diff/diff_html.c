/* The page: one file, nothing loaded from anywhere, no script. */
#include "report/diff/diff.h"

#include "report/html/html_head.h"
#include "report/html/text/html_text.h"

#include <cjson/cJSON.h>
#include <exray/exray.h>

static void put_headline(const xr_diff *diff, FILE *out)
{
    static const char *const sentences[XR_CHANGES] = {"Nothing is worse, and nothing is better.", "", "",
                                                      "Something is new or worse.",
                                                      "Something is better, and nothing is worse."};
    static const char *const signs[XR_CHANGES] = {"=", "", "", "\xE2\x9C\x97", "\xE2\x9C\x93"};
    xr_put(out,
           "<section id=\"verdict\" class=\"first\" aria-label=\"Verdict\">\n<p class=\"verdict %s\"><span "
           "aria-hidden=\"true\">%s</span> <strong>%s</strong></p>\n<h1>%s</h1>\n",
           diff->change == XR_WORSE ? "fail" : "pass", signs[diff->change], xr_change_name(diff->change),
           sentences[diff->change]);
    xr_put(out, "<p>The verdict was <b>%s</b>, and is <b>%s</b>.</p>\n</section>\n",
           xr_diff_member(diff->root[0], "verdict"), xr_diff_member(diff->root[1], "verdict"));
}

static void put_measures(const xr_diff *diff, FILE *out)
{
    xr_number_text a, b;
    if (diff->measures == 0)
        return;
    fputs("<section "
          "id=\"measures\"><h2>Measures</h2>\n<table><thead><tr><th>Measure</th><th>Old</th><th>New</th>"
          "<th>Change</th></tr></thead><tbody>\n",
          out);
    for (size_t i = 0; i < diff->measures; i++)
        if (xr_diff_tells(&diff->measure[i]))
            xr_put(out, "<tr><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>\n", diff->measure[i].words,
                   xr_number(a, diff->measure[i].value[0]), xr_number(b, diff->measure[i].value[1]),
                   xr_change_name(diff->measure[i].change));
    xr_put(out, "<tr><td>Latency of the edge</td><td>%s</td><td>%s</td><td></td></tr>\n",
           xr_milliseconds(a, 1e6 * diff->latency[0]), xr_milliseconds(b, 1e6 * diff->latency[1]));
    fputs("</tbody></table></section>\n", out);
}

static void put_finding(const xr_diff_finding *f, FILE *out)
{
    const cJSON *shown = xr_diff_shown(f);
    const char *place = xr_diff_place(shown), *fix = xr_diff_member(shown, "fix");
    xr_put(out, "<article class=\"finding %s\"><h3><span class=\"kind\">%s</span> <code>%s</code>%s%s",
           f->counts ? "fault" : "note", xr_change_name(f->change), xr_diff_member(shown, "cause"),
           *place ? " at " : "", place);
    if (f->side[0] && f->side[1])
        xr_put(out, ": was %s%s, is %s%s", xr_diff_member(f->side[0], "severity"),
               xr_diff_is_known(f->side[0]) ? " and known" : "", xr_diff_member(shown, "severity"),
               xr_diff_is_known(shown) ? " and known" : "");
    fputs("</h3>\n<p class=\"summary\">", out);
    xr_put_prose(out, xr_diff_member(shown, "summary"));
    fputs("</p>\n", out);
    if (f->side[1] && *fix) {
        fputs("<p><b>Fix:</b> ", out);
        xr_put_prose(out, fix);
        fputs("</p>\n", out);
    }
    fputs("</article>\n", out);
}

static void put_findings(const xr_diff *diff, FILE *out)
{
    static const xr_change order[] = {XR_NEW, XR_WORSE, XR_GONE, XR_BETTER};
    static const char *const titles[] = {"New", "Worse", "Gone", "Better"};
    for (size_t k = 0; k < sizeof order / sizeof *order; k++) {
        if (xr_diff_count(diff, order[k]) == 0)
            continue;
        xr_put(out, "<section><h2>%s</h2>\n", titles[k]);
        for (size_t i = 0; i < diff->findings; i++)
            if (diff->finding[i].change == order[k])
                put_finding(&diff->finding[i], out);
        fputs("</section>\n", out);
    }
    xr_put(out, "<p>%zu findings are as they were.</p>\n", xr_diff_count(diff, XR_SAME));
}

bool xr_diff_html(const xr_diff *diff, FILE *out)
{
    xr_html_policy(out, NULL, 0);
    xr_put(out, "<title>exray diff: %s</title>\n", xr_change_name(diff->change));
    xr_html_style(out);
    fputs("</head>\n<body>\n<header class=\"top\"><span class=\"brand\">exray diff</span></header>\n<main>\n",
          out);
    put_headline(diff, out);
    put_measures(diff, out);
    put_findings(diff, out);
    xr_put(out, "</main>\n<footer><p>Made by exray %s from %s and %s.</p></footer>\n</body>\n</html>\n",
           exray_version(), diff->path[0], diff->path[1]);
    return !ferror(out);
}
