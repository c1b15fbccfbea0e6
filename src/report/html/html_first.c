/* The first screen: the verdict, its cause, the fix and the figures; then each finding. */
#include "report/html/text/html_causes.h"

#include "checks/covered.h"
#include "report/html/text/html_words.h"

#include <math.h>
#include <string.h>

static const exray_finding *first_error(const xr_outcome *o)
{
    for (size_t i = 0; i < o->shown_count; i++)
        if (o->shown[i]->severity == EXRAY_SEVERITY_ERROR && !o->shown[i]->known)
            return o->shown[i];
    return NULL;
}

static void count_findings(const xr_outcome *o, size_t *errors, size_t *others, size_t *known)
{
    *errors = *others = *known = 0;
    for (size_t i = 0; i < o->shown_count; i++)
        o->shown[i]->known ? ++*known : o->shown[i]->severity == EXRAY_SEVERITY_ERROR ? ++*errors : ++*others;
}

/* A sentence in an element; `css` is its class, or "". */
static void put_element(xr_page *p, const char *element, const char *css, const char *text)
{
    xr_put(p->out, *css ? "<%s class=\"%s\">" : "<%s>", element, css);
    xr_put_prose(p->out, text);
    xr_put(p->out, "</%s>\n", element);
}

/* What to do, with a button that copies it. */
static void put_fix(xr_page *p, const char *element, const char *text)
{
    xr_put(p->out, "<%s class=\"what\">", element);
    xr_put_prose(p->out, text);
    xr_put(p->out, "</%s> <button type=\"button\" class=\"copy\" hidden>Copy</button>\n", element);
}

/* ---- The head ------------------------------------------------------------------------ */

static void put_verdict_line(xr_page *p)
{
    static const char *const words[] = {"Pass", "Fail", "Inconclusive"};
    static const char *const signs[] = {"\xE2\x9C\x93", "\xE2\x9C\x97", "?"};
    const xr_outcome *o = p->report->outcome;
    size_t errors, others, known;
    count_findings(o, &errors, &others, &known);
    xr_put(p->out, "<p class=\"verdict %s\"><span aria-hidden=\"true\">%s</span> <strong>%s</strong>",
           xr_verdict_name(o->verdict), signs[o->verdict], words[o->verdict]);
    if (errors)
        xr_put(p->out, " <span class=\"count\">%zu %s</span>", errors, errors == 1 ? "fault" : "faults");
    if (known)
        xr_put(p->out, " <span class=\"count\">%zu known</span>", known);
    if (others)
        xr_put(p->out, " <span class=\"count\">%zu %s</span>", others, others == 1 ? "remark" : "remarks");
    fputs("</p>\n", p->out);
}

static void put_cause(xr_page *p, const exray_finding *f)
{
    enum { LONG = 100 }; /* names of layers may be of any length */
    const char *words = f->summary ? f->summary : f->cause;
    put_element(p, "h1", strlen(words) > LONG ? "long" : "", words);
    fputs("<p class=\"cause\">", p->out);
    xr_put_cause(p->out, f->cause);
    xr_put(p->out, " <span class=\"confidence\">confidence %.2f</span></p>\n", f->confidence);
    if (f->fix) {
        fputs("<div class=\"fix\"><h2>Fix</h2>", p->out);
        put_fix(p, "p", f->fix);
        fputs("</div>\n", p->out);
    }
}

static void put_headline(xr_page *p)
{
    const xr_outcome *o = p->report->outcome;
    const exray_finding *f = first_error(o);
    put_verdict_line(p);
    if (f)
        put_cause(p, f);
    else if (o->verdict == XR_PASS) {
        fputs(o->shown_count && o->shown[o->shown_count - 1]->known
                  ? "<h1>Nothing is wrong but what is known.</h1>\n"
                  : "<h1>The edge computes what the reference computes.</h1>\n",
              p->out);
        if (o->shown_count && !o->shown[0]->known && o->shown[0]->severity == EXRAY_SEVERITY_WARNING &&
            o->shown[0]->summary)
            put_element(p, "p", "lead", o->shown[0]->summary);
    } else {
        fputs("<h1>It could not be told.</h1>\n", p->out);
        put_element(p, "p", "lead", o->reason);
    }
}

/* ---- Figures ----------------------------------------------------------------------------- */

static void end_figure(xr_page *p, const char *remark)
{
    if (*remark)
        xr_put(p->out, "<dd class=\"remark\">%s</dd>", remark);
    fputs("</div>\n", p->out);
}

static void put_pair(xr_page *p, const char *name, const char *edge, const char *reference,
                     const char *remark)
{
    xr_put(p->out,
           "<div class=\"figure\"><dt>%s</dt><dd><span class=\"big\">%s</span> <span "
           "class=\"of\">edge</span></dd>"
           "<dd><span class=\"big second\">%s</span> <span class=\"of\">reference</span></dd>",
           name, edge, reference);
    end_figure(p, remark);
}

static void put_share(xr_page *p, const char *name, size_t part, size_t whole, const char *remark)
{
    xr_put(p->out,
           "<div class=\"figure\"><dt>%s</dt><dd><span class=\"big\">%zu</span> <span class=\"of\">of "
           "%zu</span></dd>",
           name, part, whole);
    end_figure(p, remark);
}

static void put_accuracy(xr_page *p)
{
    const exray_accuracy *a = exray_comparison_accuracy(p->comparison);
    char edge[32], reference[32], remark[160] = "";
    if (a->frames == 0)
        return;
    if (a->labeled) {
        double points = 100 * (a->top1[EXRAY_SIDE_EDGE] - a->top1[EXRAY_SIDE_REFERENCE]);
        snprintf(edge, sizeof edge, "%.1f\xC2\xA0%%", 100 * a->top1[EXRAY_SIDE_EDGE]);
        snprintf(reference, sizeof reference, "%.1f\xC2\xA0%%", 100 * a->top1[EXRAY_SIDE_REFERENCE]);
        if (fabs(points) >= 0.05)
            snprintf(remark, sizeof remark, "%.1f points %s; top-5: %.1f\xC2\xA0%%, %.1f\xC2\xA0%%",
                     fabs(points), points < 0 ? "lost" : "gained", 100 * a->top5[0], 100 * a->top5[1]);
        else
            snprintf(remark, sizeof remark, "top-5: %.1f\xC2\xA0%%, %.1f\xC2\xA0%%", 100 * a->top5[0],
                     100 * a->top5[1]);
        put_pair(p, "Accuracy", edge, reference, remark);
    }
    snprintf(remark, sizeof remark, "%.1f\xC2\xA0%% agree on the first class", 100 * a->agreement);
    put_share(p, "Same decision", (size_t)lround(a->agreement * (double)a->frames), a->frames, remark);
}

static void put_coverage(xr_page *p)
{
    const exray_coverage *v = exray_comparison_coverage(p->comparison);
    size_t matched = exray_comparison_frame_count(p->comparison);
    size_t valued = v->with_data + v->with_sketch + v->with_stats;
    char remark[160] = "", frames[96];
    size_t edge = exray_comparison_unmatched_frames(p->comparison, EXRAY_SIDE_EDGE);
    size_t reference = exray_comparison_unmatched_frames(p->comparison, EXRAY_SIDE_REFERENCE);
    if (reference > edge)
        snprintf(frames, sizeof frames, "of the reference's, matched by %s",
                 exray_comparison_matched_by(p->comparison));
    else
        snprintf(frames, sizeof frames, "matched by %s", exray_comparison_matched_by(p->comparison));
    put_share(p, "Frames compared", matched, matched + (reference > edge ? reference : edge), frames);
    if (v->layers[EXRAY_SIDE_EDGE] == 0) {
        put_share(p, "Layers compared", 0, 0, "none were recorded");
        return;
    }
    size_t not_seen = v->fused + v->hidden;
    if (valued == 0)
        snprintf(remark, sizeof remark, "none was recorded with values on both sides");
    else if (not_seen)
        snprintf(remark, sizeof remark, "%zu not seen: %s", not_seen,
                 not_seen == 1 ? "it runs inside another" : "they run inside others");
    else if (valued < v->compared)
        snprintf(remark, sizeof remark, "%zu more without values", v->compared - valued);
    else if (v->with_sketch || v->with_stats)
        snprintf(remark, sizeof remark, "%zu estimated, %zu by statistics alone", v->with_sketch,
                 v->with_stats);
    else
        snprintf(remark, sizeof remark, "with all their values");
    put_share(p, "Layers compared", valued, v->layers[EXRAY_SIDE_EDGE], remark);
}

static void put_latency(xr_page *p)
{
    double edge = exray_comparison_latency(p->comparison, EXRAY_SIDE_EDGE)->settled.median;
    double reference = exray_comparison_latency(p->comparison, EXRAY_SIDE_REFERENCE)->settled.median;
    xr_number_text a, b;
    char remark[64] = "median of an inference";
    if (isnan(edge) && isnan(reference))
        return;
    if (edge / reference >= 1.1)
        snprintf(remark, sizeof remark, "%.1f times slower", edge / reference);
    else if (edge / reference <= 1 / 1.1)
        snprintf(remark, sizeof remark, "%.1f times faster", reference / edge);
    put_pair(p, "Latency", xr_milliseconds(a, edge), xr_milliseconds(b, reference), remark);
}

static void put_requirements(xr_page *p)
{
    static const char *const met[] = {"met", "not met", "not measured"};
    for (size_t i = 0; i < p->report->require_count; i++) {
        const xr_requirement *q = &p->report->require[i];
        xr_number_text value;
        xr_put(p->out,
               "<div class=\"figure\"><dt>Required: %s</dt><dd><span class=\"big\">%s</span> <span "
               "class=\"of\">%s</span></dd>",
               q->text, xr_number(value, q->value), met[q->met]);
        end_figure(p, "");
    }
}

/* Which frames a log has, where some are missing, and what happened to its recording. */
static void put_covered(xr_page *p)
{
    static const char *const names[2] = {"Edge log", "Reference log"};
    char words[800];
    for (int s = 0; s < 2; s++) {
        xr_covered_words(exray_comparison_log(p->comparison, (exray_side)s), words, sizeof words);
        if (*words)
            xr_put(p->out, "<p class=\"covered\"><strong>%s</strong>: %s</p>\n", names[s], words);
    }
}

void xr_html_first(xr_page *p)
{
    fputs("<section id=\"verdict\" class=\"first\" aria-label=\"Verdict\">\n", p->out);
    put_headline(p);
    fputs("<dl class=\"figures\">\n", p->out);
    put_accuracy(p);
    put_coverage(p);
    put_latency(p);
    put_requirements(p);
    fputs("</dl>\n", p->out);
    put_covered(p);
    fputs("</section>\n", p->out);
}

/* ---- Findings --------------------------------------------------------------------------------- */

static void put_evidence(xr_page *p, const exray_finding *f)
{
    xr_number_text n;
    if (f->evidence_count == 0)
        return;
    xr_put(p->out, "<details><summary>Evidence (%zu)</summary><dl class=\"evidence\">\n", f->evidence_count);
    for (size_t i = 0; i < f->evidence_count; i++) {
        const xr_evidence *e = &f->evidence[i];
        fputs("<div><dt>", p->out);
        xr_put_key(p->out, e->key);
        if (e->text)
            xr_put(p->out, "</dt><dd>%s</dd></div>\n", e->text);
        else
            xr_put(p->out, "</dt><dd>%s %s</dd></div>\n", xr_number(n, e->number), xr_unit_of_key(e->key));
    }
    fputs("</dl></details>\n", p->out);
}

static void put_where(xr_page *p, const exray_finding *f)
{
    const exray_layer_pair *layer =
        f->layer == EXRAY_NO_INDEX ? NULL : exray_comparison_layer(p->comparison, f->layer);
    xr_name_text name;
    if (layer)
        xr_put(p->out,
               "<p class=\"where\">Layer %u, <code>%s</code>, %s. <a class=\"to-layer\" href=\"#row-%u\" "
               "data-layer=\"%u\">Show it</a></p>\n",
               (unsigned)layer->node[EXRAY_SIDE_EDGE], xr_short_name(name, layer->name[EXRAY_SIDE_EDGE]),
               layer->op[EXRAY_SIDE_EDGE], (unsigned)f->layer, (unsigned)f->layer);
    else if (f->stage && f->tensor)
        xr_put(p->out, "<p class=\"where\">At the %s <code>%s</code>.</p>\n", f->stage, f->tensor);
}

static void put_acceptance(xr_page *p, const exray_finding *f)
{
    const char *reason = f->known->reason && *f->known->reason ? f->known->reason : "no reason is given";
    xr_put(p->out, "<p>A known %s: %s%s%s.</p>\n", f->severity == EXRAY_SEVERITY_ERROR ? "fault" : "remark",
           reason, f->known->expires ? ", until " : "", f->known->expires ? f->known->expires : "");
}

/* `headline`: its sentence and its fix are shown above already. */
static void put_finding(xr_page *p, const exray_finding *f, bool headline)
{
    static const char *const words[] = {"note", "warning", "fault"};
    const char *kind = f->known ? "known" : words[f->severity];
    xr_put(p->out, "<article class=\"finding %s\"><h3><span class=\"kind\">%s</span> ", kind, kind);
    xr_put_cause(p->out, f->cause);
    xr_put(p->out, " <span class=\"confidence\">confidence %.2f</span></h3>\n", f->confidence);
    if (f->summary && !headline)
        put_element(p, "p", "summary", f->summary);
    if (f->known)
        put_acceptance(p, f);
    put_where(p, f);
    for (size_t i = 0; i < f->detail_count; i++)
        put_element(p, "p", "", f->detail[i]);
    for (size_t i = 0; i < f->alternative_count; i++) {
        fputs("<p class=\"or\">Or ", p->out);
        xr_put_cause(p->out, f->alternative[i].cause);
        xr_put(p->out, ", confidence %.2f.</p>\n", f->alternative[i].confidence);
    }
    if (f->fix && !headline) {
        fputs("<p class=\"fixed\"><b>Fix:</b> ", p->out);
        put_fix(p, "span", f->fix);
        fputs("</p>\n", p->out);
    }
    put_evidence(p, f);
    fputs("</article>\n", p->out);
}

void xr_html_findings(xr_page *p)
{
    const xr_outcome *o = p->report->outcome;
    if (o->shown_count == 0)
        return;
    fputs("<section id=\"findings\"><h2>What was found</h2>\n", p->out);
    for (size_t i = 0; i < o->shown_count; i++)
        put_finding(p, o->shown[i], o->shown[i] == first_error(o));
    fputs("</section>\n", p->out);
}
