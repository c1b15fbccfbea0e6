/* The report for a terminal. */
#define _POSIX_C_SOURCE 200809L
#include "report/report.h"

#include "checks/covered.h"
#include "report/measure_words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMN = 66 }; /* where "confidence" begins */

typedef struct paint {
    const char *red, *yellow, *green, *bold, *dim, *end;
} paint;

static const paint no_paint = {"", "", "", "", "", ""};
static const paint ansi_paint = {"\033[31m", "\033[33m", "\033[32m", "\033[1m", "\033[2m", "\033[0m"};

bool xr_wants_color(FILE *out)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fileno(out)) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

/* Texts of files are shown without what could steer a terminal. */
static void print_plain(FILE *out, const char *text)
{
    for (; *text; text++)
        fputc((unsigned char)*text < 0x20 || *text == 0x7F ? '?' : *text, out);
}

/* ---- Facts ----------------------------------------------------------------------- */

static const char *plural(size_t count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}

static void print_frames(const xr_report *r, FILE *out)
{
    size_t matched = exray_comparison_frame_count(r->comparison);
    size_t edge = exray_comparison_unmatched_frames(r->comparison, EXRAY_SIDE_EDGE);
    size_t reference = exray_comparison_unmatched_frames(r->comparison, EXRAY_SIDE_REFERENCE);
    fprintf(out, "frames     %zu of %zu matched", matched, matched + edge);
    if (reference)
        fprintf(out, "; %zu %s only in the reference", reference, plural(reference, "is", "are"));
    fputc('\n', out);
}

/* Which frames a log has, where some are missing, and what happened to its recording. */
static void print_covered(const xr_report *r, FILE *out)
{
    static const char *const labels[2] = {"edge", "reference"};
    char words[800];
    for (int s = 0; s < 2; s++) {
        xr_covered_words(exray_comparison_log(r->comparison, (exray_side)s), words, sizeof words);
        if (!*words)
            continue;
        fprintf(out, "%-11s", labels[s]);
        print_plain(out, words);
        fputc('\n', out);
    }
}

static void print_top(FILE *out, const char *name, const double share[2])
{
    double points = 100 * (share[EXRAY_SIDE_EDGE] - share[EXRAY_SIDE_REFERENCE]);
    fprintf(out, "%-10s edge %.1f %%   reference %.1f %%", name, 100 * share[EXRAY_SIDE_EDGE],
            100 * share[EXRAY_SIDE_REFERENCE]);
    if (fabs(points) >= 0.05)
        fprintf(out, "   %s %.1f points", points < 0 ? "down" : "up", fabs(points));
    fputc('\n', out);
}

static void print_value(FILE *out, const char *of, const exray_measure *m, double value)
{
    char text[XR_MEASURE_VALUE_MOST];
    if (isfinite(value))
        fprintf(out, "   %s %s", of, xr_measure_value(text, value, m->unit, " %"));
}

static int longest_words(const exray_comparison *comparison)
{
    size_t longest = 10;
    for (size_t i = 0; i < exray_comparison_measure_count(comparison); i++) {
        const exray_measure *m = exray_comparison_measure(comparison, i);
        char words[XR_MEASURE_WORDS_MOST];
        size_t length = *m->group ? 0 : strlen(xr_measure_words(words, m->name));
        length += *m->output && !*m->group ? strlen(" of ") + strlen(m->output) : 0;
        longest = length > longest ? length : longest;
    }
    return (int)longest;
}

/* Those of all classes alone; the JSON has the others, too. */
static void print_measures(const xr_report *r, FILE *out)
{
    const int width = longest_words(r->comparison);
    for (size_t i = 0; i < exray_comparison_measure_count(r->comparison); i++) {
        const exray_measure *m = exray_comparison_measure(r->comparison, i);
        if (*m->group)
            continue;
        char words[XR_MEASURE_WORDS_MOST];
        char name[XR_MEASURE_WORDS_MOST + sizeof m->output + 8];
        snprintf(name, sizeof name, "%s%s%s", xr_measure_words(words, m->name), *m->output ? " of " : "",
                 m->output);
        print_plain(out, name);
        fprintf(out, "%*s", (int)strlen(name) < width ? width - (int)strlen(name) : 0, "");
        print_value(out, "edge", m, m->edge);
        print_value(out, "reference", m, m->reference);
        print_value(out, "agreement", m, m->agreement);
        fprintf(out, " (%s, %s is better, %zu frame%s)\n", m->task, m->higher ? "higher" : "lower", m->frames,
                m->frames == 1 ? "" : "s");
    }
}

static void print_accuracy(const xr_report *r, FILE *out)
{
    const exray_accuracy *a = exray_comparison_accuracy(r->comparison);
    print_measures(r, out);
    if (a->frames == 0)
        return;
    if (a->labeled) {
        double points = 100 * (a->top1[EXRAY_SIDE_EDGE] - a->top1[EXRAY_SIDE_REFERENCE]);
        fprintf(out, "accuracy   edge %.1f %%   reference %.1f %%   agreement %.1f %%",
                100 * a->top1[EXRAY_SIDE_EDGE], 100 * a->top1[EXRAY_SIDE_REFERENCE], 100 * a->agreement);
        if (fabs(points) >= 0.05)
            fprintf(out, "        %s %.1f points", points < 0 ? "down" : "up", fabs(points));
        fputc('\n', out);
        print_top(out, "  top-5", a->top5);
        if (a->labeled < a->frames)
            fprintf(out, "           %zu of %zu frames have a label\n", a->labeled, a->frames);
    } else
        fprintf(out, "accuracy   agreement %.1f %% of %zu frame%s (no labels)\n", 100 * a->agreement,
                a->frames, a->frames == 1 ? "" : "s");
}

static void print_coverage(const xr_report *r, FILE *out)
{
    const exray_coverage *c = exray_comparison_coverage(r->comparison);
    size_t valued = c->with_data + c->with_sketch + c->with_stats;
    if (c->layers[EXRAY_SIDE_EDGE] == 0) {
        fputs("layers     none recorded\n", out);
        return;
    }
    if (valued == 0)
        fprintf(out, "layers     none recorded with values on both sides; %zu of %zu matched by the graphs",
                c->compared, c->layers[EXRAY_SIDE_EDGE]);
    else
        fprintf(out, "layers     %zu of %zu compared", valued, c->layers[EXRAY_SIDE_EDGE]);
    if (c->with_sketch)
        fprintf(out, "; %zu estimated from sketches", c->with_sketch);
    if (c->with_stats)
        fprintf(out, "; %zu by statistics alone", c->with_stats);
    if (c->fused)
        fprintf(out, "; %zu not seen: %s of the reference", c->fused,
                c->fused == 1 ? "it runs inside another" : "they run inside others");
    if (c->hidden)
        fprintf(out, "; %zu not seen: %s inside a delegate of the edge", c->hidden,
                c->hidden == 1 ? "it runs" : "they run");
    if (valued && valued < c->compared)
        fprintf(out, "; %zu without values", c->compared - valued);
    fputc('\n', out);
}

static void print_latency(const xr_report *r, FILE *out)
{
    double edge = xr_report_latency(r->comparison, EXRAY_SIDE_EDGE);
    double reference = xr_report_latency(r->comparison, EXRAY_SIDE_REFERENCE);
    if (isnan(edge) && isnan(reference))
        return;
    fputs("latency   ", out);
    if (!isnan(edge))
        fprintf(out, " edge %.2f ms  ", edge);
    if (!isnan(reference))
        fprintf(out, " reference %.2f ms  ", reference);
    double ratio = edge / reference;
    if (ratio >= 1.1)
        fprintf(out, " %.1f times slower  ", ratio);
    else if (ratio <= 1 / 1.1)
        fprintf(out, " %.1f times faster  ", 1 / ratio);
    fputs(" (median inference)\n", out);
}

/* ---- Requirements -------------------------------------------------------------------- */

static void print_requirements(const xr_report *r, FILE *out, const paint *p)
{
    for (size_t i = 0; i < r->require_count; i++) {
        const xr_requirement *q = &r->require[i];
        fputs(i ? "           " : "required   ", out);
        print_plain(out, q->text);
        if (q->met == XR_MET_UNKNOWN)
            fprintf(out, "   %snot measured%s\n", p->yellow, p->end);
        else
            fprintf(out, "   %s%s%s (%.4g)\n", q->met == XR_MET_YES ? p->green : p->red,
                    q->met == XR_MET_YES ? "met" : "not met", p->end, q->value);
    }
}

/* ---- Findings ---------------------------------------------------------------------- */

static void print_acceptance(const xr_known_finding *known, FILE *out)
{
    fputs("  known: ", out);
    print_plain(out, known->reason && *known->reason ? known->reason : "no reason is given");
    if (known->expires)
        fprintf(out, " (until %s)", known->expires);
    fputc('\n', out);
}

static void print_finding(const exray_finding *f, FILE *out, const paint *p)
{
    const char *sign = f->known                                ? "="
                       : f->severity == EXRAY_SEVERITY_ERROR   ? "✗"
                       : f->severity == EXRAY_SEVERITY_WARNING ? "!"
                                                               : "i";
    const char *tint = f->known                                ? p->dim
                       : f->severity == EXRAY_SEVERITY_ERROR   ? p->red
                       : f->severity == EXRAY_SEVERITY_WARNING ? p->yellow
                                                               : p->dim;
    int gap = COLUMN - 2 - (int)strlen(f->cause);
    fprintf(out, "\n%s%s %s%s%s%*sconfidence %.2f\n", tint, sign, p->bold, f->cause, p->end,
            gap > 1 ? gap : 1, "", f->confidence);
    if (f->summary)
        fprintf(out, "  %s\n", f->summary);
    if (f->known) {
        print_acceptance(f->known, out);
        return;
    }
    for (size_t i = 0; i < f->detail_count; i++)
        fprintf(out, "  %s\n", f->detail[i]);
    for (size_t i = 0; i < f->alternative_count; i++)
        fprintf(out, "  or: %s (confidence %.2f)\n", f->alternative[i].cause, f->alternative[i].confidence);
    if (f->fix)
        fprintf(out, "  %sfix:%s %s\n", p->bold, p->end, f->fix);
}

/* Assertions that end for the same reason share a line. */
/* Reasons that are the same to a reader: equal texts, or too few frames for several latencies (the first is
 * printed, the JSON has all). */
static bool same_reason(const xr_run *a, const xr_run *b)
{
    if (a->status != b->status)
        return false;
    bool perf = strncmp(a->assertion->name, "perf.", 5) == 0 && strncmp(b->assertion->name, "perf.", 5) == 0;
    return (perf && a->status == EXRAY_E_STATE) || strcmp(a->message, b->message) == 0;
}

static void print_unjudged(const xr_report *r, FILE *out, const paint *p)
{
    const xr_outcome *o = r->outcome;
    bool any = false;
    for (size_t i = 0; i < o->run_count; i++) {
        const xr_run *run = &o->run[i];
        bool said = run->status == EXRAY_OK;
        for (size_t k = 0; k < i && !said; k++)
            said = same_reason(&o->run[k], run);
        if (said)
            continue;
        fprintf(out, "%s%s%s %s", any ? "" : "\n", p->dim,
                run->status == EXRAY_E_STATE ? "unjudged" : "failed", run->assertion->name);
        for (size_t k = i + 1; k < o->run_count; k++)
            if (same_reason(&o->run[k], run))
                fprintf(out, ", %s", o->run[k].assertion->name);
        fprintf(out, "\n  %s%s\n", run->message, p->end);
        any = true;
    }
    for (const char *const *remark = r->not_used; remark && *remark; remark++, any = true)
        fprintf(out, "%s%snote: %s%s\n", any ? "" : "\n", p->dim, *remark, p->end);
}

/* "layers 3-60 only propagate it", of the edge's node numbers. */
static void print_propagation(const xr_report *r, FILE *out)
{
    size_t count = 0;
    uint32_t first = 0, last = 0;
    for (size_t i = 0; i < exray_comparison_layer_count(r->comparison); i++) {
        const exray_layer_pair *layer = exray_comparison_layer(r->comparison, i);
        if (layer->role != EXRAY_LAYER_ROLE_PROPAGATES)
            continue;
        if (count++ == 0)
            first = layer->node[EXRAY_SIDE_EDGE];
        last = layer->node[EXRAY_SIDE_EDGE];
    }
    if (count == 1)
        fprintf(out, "    (layer %u only propagates it)", (unsigned)first);
    else if (count && count == (size_t)(last - first) + 1)
        fprintf(out, "    (layers %u-%u only propagate it)", (unsigned)first, (unsigned)last);
    else if (count)
        fprintf(out, "    (%zu layers, from %u to %u, only propagate it)", count, (unsigned)first,
                (unsigned)last);
}

static void print_rest(size_t known, size_t others, FILE *out)
{
    if (known)
        fprintf(out, ", %zu known", known);
    if (others)
        fprintf(out, ", %zu %s", others, plural(others, "remark", "remarks"));
}

static void print_verdict(const xr_report *r, FILE *out, const paint *p)
{
    const xr_outcome *o = r->outcome;
    size_t errors = 0, others = 0, known = 0;
    for (size_t i = 0; i < o->shown_count; i++)
        o->shown[i]->known ? known++ : o->shown[i]->severity == EXRAY_SEVERITY_ERROR ? errors++ : others++;
    fputc('\n', out);
    if (o->verdict == XR_FAIL) {
        fprintf(out, "%s%sFAIL%s  %zu %s", p->bold, p->red, p->end, errors,
                plural(errors, "finding", "findings"));
        print_rest(known, others, out);
        print_propagation(r, out);
    } else if (o->verdict == XR_PASS) {
        fprintf(out, "%s%sPASS%s  nothing %s found", p->bold, p->green, p->end, known ? "new" : "wrong");
        print_rest(known, others, out);
    } else
        fprintf(out, "%s%sINCONCLUSIVE%s  %s", p->bold, p->yellow, p->end, o->reason);
    fputc('\n', out);
}

void xr_report_text(const xr_report *r, FILE *out, bool color)
{
    const paint *p = color ? &ansi_paint : &no_paint;
    print_frames(r, out);
    print_covered(r, out);
    print_accuracy(r, out);
    print_coverage(r, out);
    print_latency(r, out);
    print_requirements(r, out, p);
    for (size_t i = 0; i < r->outcome->shown_count; i++)
        print_finding(r->outcome->shown[i], out, p);
    print_unjudged(r, out, p);
    print_verdict(r, out, p);
}
