/* JUnit XML: what CI servers show as tests.  One test case an assertion: failed with its
 * findings of severity error, skipped where it could not be judged. */
#include "base/utf8.h"
#include "report/report.h"

#include <math.h>
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

static bool is_of(const exray_finding *f, const exray_assertion *assertion, bool error)
{
    return f->assertion == assertion && (f->severity == EXRAY_SEVERITY_ERROR) == error;
}

static size_t count_findings(const xr_outcome *o, const exray_assertion *assertion, bool error)
{
    size_t count = 0;
    for (size_t i = 0; i < o->shown_count; i++)
        count += is_of(o->shown[i], assertion, error);
    return count;
}

/* Warnings and remarks do not fail a test; they are its output. */
static void put_said(FILE *out, const xr_outcome *o, const exray_assertion *assertion)
{
    if (count_findings(o, assertion, false) == 0)
        return;
    fputs("    <system-out>", out);
    for (size_t i = 0; i < o->shown_count; i++) {
        if (!is_of(o->shown[i], assertion, false))
            continue;
        fprintf(out, "%s ", xr_severity_name(o->shown[i]->severity));
        put_xml(out, o->shown[i]->cause);
        fputs(": ", out);
        put_finding(out, o->shown[i]);
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

static void put_case(FILE *out, const xr_outcome *o, const char *name, const exray_assertion *assertion,
                     const xr_run *run)
{
    begin_case(out, name);
    bool failed = count_findings(o, assertion, true) > 0;
    for (size_t i = 0; i < o->shown_count; i++)
        if (is_of(o->shown[i], assertion, true))
            put_failure(out, o->shown[i]);
    if (!failed && run && run->status != EXRAY_OK) {
        fprintf(out, run->status == EXRAY_E_STATE ? "    <skipped" : "    <error");
        put_attribute(out, "message", run->message);
        fputs("/>\n", out);
    }
    put_said(out, o, assertion);
    fputs("  </testcase>\n", out);
}

/* The verdict, and what the runner itself found. */
static void put_verdict(FILE *out, const xr_outcome *o)
{
    begin_case(out, "verdict");
    for (size_t i = 0; i < o->shown_count; i++)
        if (is_of(o->shown[i], NULL, true))
            put_failure(out, o->shown[i]);
    if (o->verdict == XR_INCONCLUSIVE) {
        fputs("    <error", out);
        put_attribute(out, "type", "inconclusive");
        put_attribute(out, "message", o->reason);
        fputs("/>\n", out);
    }
    put_said(out, o, NULL);
    fputs("  </testcase>\n", out);
}

bool xr_report_junit(const xr_report *report, FILE *out)
{
    const xr_outcome *o = report->outcome;
    bool own = count_findings(o, NULL, true) > 0;
    size_t failures = own, errors = o->verdict == XR_INCONCLUSIVE, skipped = 0;
    for (size_t i = 0; i < o->run_count; i++) {
        bool failed = count_findings(o, o->run[i].assertion, true) > 0;
        failures += failed;
        skipped += !failed && o->run[i].status == EXRAY_E_STATE;
        errors += !failed && o->run[i].status != EXRAY_OK && o->run[i].status != EXRAY_E_STATE;
    }
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuites name=\"exray validate\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" "
            "skipped=\"%zu\">\n <testsuite name=\"exray validate\" tests=\"%zu\" failures=\"%zu\" "
            "errors=\"%zu\" skipped=\"%zu\">\n",
            o->run_count + 1, failures, errors, skipped, o->run_count + 1, failures, errors, skipped);
    fputs("  <properties>\n", out);
    for (int side = 0; side < 2; side++) {
        fputs("   <property", out);
        put_attribute(out, "name", side ? "reference" : "edge");
        put_attribute(out, "value",
                      exray_log_path(exray_comparison_log(report->comparison, (exray_side)side)));
        fputs("/>\n", out);
    }
    fputs("  </properties>\n", out);
    put_verdict(out, o);
    for (size_t i = 0; i < o->run_count; i++)
        put_case(out, o, o->run[i].assertion->name, o->run[i].assertion, &o->run[i]);
    fputs(" </testsuite>\n</testsuites>\n", out);
    return !ferror(out);
}
