/* JUnit XML: what CI servers show as tests.  One test case a cause, so that a server knows it again: failed
 * with its findings of severity error that are new, skipped where no assertion could judge it. */
#include "base/utf8.h"
#include "checks/covered.h"
#include "report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- XML ------------------------------------------------------------------------------- */

/* Length of the character that begins at `at` if XML 1.0 allows it, else 0: no control characters but tab and
 * the ends of lines, no U+FFFE, U+FFFF. */
static size_t xml_character(const char *at)
{
    uint32_t code;
    size_t size = xr_utf8_decode(at, XR_UTF8_MOST, &code);
    bool allowed =
        code >= 0x20 ? code != 0xFFFE && code != 0xFFFF : code == '\t' || code == '\n' || code == '\r';
    return allowed ? size : 0;
}

static void put_xml(FILE *out, const char *text)
{
    for (const char *p = text; *p;) {
        size_t size = xml_character(p);
        if (size == 0)
            fputc('?', out);
        else if (*p == '<')
            fputs("&lt;", out);
        else if (*p == '>')
            fputs("&gt;", out);
        else if (*p == '&')
            fputs("&amp;", out);
        else if (*p == '"')
            fputs("&quot;", out);
        else if (*p == '\n' || *p == '\r' || *p == '\t')
            fprintf(out, "&#%d;", *p);
        else
            fwrite(p, 1, size, out);
        p += size ? size : 1;
    }
}

static void put_attribute(FILE *out, const char *name, const char *value)
{
    fprintf(out, " %s=\"", name);
    put_xml(out, value);
    fputc('"', out);
}

/* ---- Test cases --------------------------------------------------------------------------- */

static void put_finding(FILE *out, const exray_finding *f)
{
    put_xml(out, f->summary ? f->summary : f->cause);
    for (size_t i = 0; i < f->detail_count; i++) {
        fputc('\n', out);
        put_xml(out, f->detail[i]);
    }
    if (f->fix) {
        fputs("\nfix: ", out);
        put_xml(out, f->fix);
    }
}

static void put_failure(FILE *out, const exray_finding *f)
{
    fputs("    <failure", out);
    put_attribute(out, "type", f->cause);
    put_attribute(out, "message", f->summary ? f->summary : f->cause);
    fputc('>', out);
    put_finding(out, f);
    fputs("</failure>\n", out);
}

/* Whether it fails the test of its cause. */
static bool fails(const exray_finding *f)
{
    return f->severity == EXRAY_SEVERITY_ERROR && !f->known;
}

/* A test case: one cause, or one assertion that names none. */
typedef struct test_case {
    const char *name;
    size_t failures, said; /* findings that fail it, and others */
    bool judged;           /* by one of the assertions that can name it, at least */
    const xr_run *failed;  /* an assertion that could not run */
    const xr_run *unjudged;
} test_case;

typedef struct test_cases {
    test_case *item;
    size_t count;
} test_cases;

static test_case *case_named(test_cases *all, const char *name)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->item[i].name, name) == 0)
            return &all->item[i];
    all->item[all->count] = (test_case){.name = name};
    return &all->item[all->count++];
}

static void add_run(test_cases *all, const char *name, const xr_run *run)
{
    test_case *one = case_named(all, name);
    if (run->status == EXRAY_OK)
        one->judged = true;
    else if (run->status == EXRAY_E_STATE)
        one->unjudged = run;
    else
        one->failed = run;
}

/* Every cause that the assertions can name, and those that they did name.  False: out of memory. */
static bool collect(const xr_outcome *o, test_cases *all)
{
    size_t room = o->shown_count + 1;
    for (size_t i = 0; i < o->run_count; i++) {
        const char *const *cause = o->run[i].assertion->causes;
        for (room++; cause && *cause; cause++)
            room++;
    }
    *all = (test_cases){calloc(room, sizeof *all->item), 0};
    for (size_t i = 0; all->item && i < o->run_count; i++) {
        const char *const *cause = o->run[i].assertion->causes;
        if (!cause || !*cause)
            add_run(all, o->run[i].assertion->name, &o->run[i]);
        for (; cause && *cause; cause++)
            add_run(all, *cause, &o->run[i]);
    }
    for (size_t i = 0; all->item && i < o->shown_count; i++) {
        test_case *one = case_named(all, o->shown[i]->cause);
        one->judged = true;
        one->failures += fails(o->shown[i]);
        one->said += !fails(o->shown[i]);
    }
    return all->item != NULL;
}

/* Warnings, remarks and known findings do not fail a test; they are its output. */
static void put_said(FILE *out, const xr_outcome *o, const test_case *one)
{
    if (one->said == 0)
        return;
    fputs("    <system-out>", out);
    for (size_t i = 0; i < o->shown_count; i++) {
        const exray_finding *f = o->shown[i];
        if (fails(f) || strcmp(f->cause, one->name) != 0)
            continue;
        fprintf(out, "%s%s ", f->known ? "known " : "", xr_severity_name(f->severity));
        put_xml(out, f->cause);
        fputs(": ", out);
        put_finding(out, f);
        if (f->known && f->known->reason) {
            fputs("\naccepted: ", out);
            put_xml(out, f->known->reason);
        }
        fputc('\n', out);
    }
    fputs("</system-out>\n", out);
}

/* Its prefix is the class: CI servers group by it. */
static void begin_case(FILE *out, const char *name)
{
    char group[64];
    size_t dot = strcspn(name, ".");
    snprintf(group, sizeof group, "exray.%.*s", (int)(dot < 40 ? dot : 40), name);
    fputs("  <testcase", out);
    put_attribute(out, "classname", group);
    put_attribute(out, "name", name);
    fputs(">\n", out);
}

static bool is_skipped(const test_case *one)
{
    return !one->judged && !one->failed && one->unjudged;
}

static bool is_error(const test_case *one)
{
    return !one->failures && one->failed;
}

static void put_case(FILE *out, const xr_outcome *o, const test_case *one)
{
    begin_case(out, one->name);
    for (size_t i = 0; i < o->shown_count; i++)
        if (fails(o->shown[i]) && strcmp(o->shown[i]->cause, one->name) == 0)
            put_failure(out, o->shown[i]);
    if (is_error(one) || is_skipped(one)) {
        fputs(is_skipped(one) ? "    <skipped" : "    <error", out);
        put_attribute(out, "message", (is_skipped(one) ? one->unjudged : one->failed)->message);
        fputs("/>\n", out);
    }
    put_said(out, o, one);
    fputs("  </testcase>\n", out);
}

static void put_verdict(FILE *out, const xr_outcome *o)
{
    begin_case(out, "verdict");
    if (o->verdict == XR_INCONCLUSIVE) {
        fputs("    <error", out);
        put_attribute(out, "type", "inconclusive");
        put_attribute(out, "message", o->reason);
        fputs("/>\n", out);
    }
    fputs("  </testcase>\n", out);
}

static void put_property(FILE *out, const char *name, const char *value)
{
    fputs("   <property", out);
    put_attribute(out, "name", name);
    put_attribute(out, "value", value);
    fputs("/>\n", out);
}

bool xr_report_junit(const xr_report *report, FILE *out)
{
    const xr_outcome *o = report->outcome;
    test_cases all;
    if (!collect(o, &all))
        return false;
    size_t failures = 0, errors = o->verdict == XR_INCONCLUSIVE, skipped = 0;
    for (size_t i = 0; i < all.count; i++) {
        failures += all.item[i].failures > 0;
        skipped += is_skipped(&all.item[i]);
        errors += is_error(&all.item[i]);
    }
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuites name=\"exray validate\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" "
            "skipped=\"%zu\">\n <testsuite name=\"exray validate\" tests=\"%zu\" failures=\"%zu\" "
            "errors=\"%zu\" skipped=\"%zu\">\n",
            all.count + 1, failures, errors, skipped, all.count + 1, failures, errors, skipped);
    fputs("  <properties>\n", out);
    for (int side = 0; side < 2; side++) {
        const exray_log *log = exray_comparison_log(report->comparison, (exray_side)side);
        char words[800];
        put_property(out, side ? "reference" : "edge", exray_log_path(log));
        xr_covered_words(log, words, sizeof words);
        if (*words)
            put_property(out, side ? "reference covers" : "edge covers", words);
    }
    fputs("  </properties>\n", out);
    put_verdict(out, o);
    for (size_t i = 0; i < all.count; i++)
        put_case(out, o, &all.item[i]);
    free(all.item);
    fputs(" </testsuite>\n</testsuites>\n", out);
    return !ferror(out);
}
