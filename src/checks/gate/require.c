#include "checks/gate/require.h"

#include "checks/gate/measures.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Parsing ------------------------------------------------------------------------ */

static exray_status refuse(exray_error *error, const char *text, size_t length)
{
    error->status = EXRAY_E_ARGUMENT;
    snprintf(error->message, sizeof error->message,
             "a requirement is NAME>=NUMBER (or >, <=, <), such as top1>=0.7, agreement>=0.98 or "
             "top1.change>=-0.01, not '%.*s'",
             (int)(length < 80 ? length : 80), text);
    return error->status;
}

/* "NAME" or "NAME.FIELD". */
static bool parse_name(xr_requirement *r, const char *text, size_t length)
{
    static const char *const fields[] = {"edge", "reference", "agreement", "change"};
    while (length && text[length - 1] == ' ')
        length--;
    if (length == 0 || length >= sizeof r->name || memchr(text, '=', length)) /* "top1=>0.7" */
        return false;
    snprintf(r->name, sizeof r->name, "%.*s", (int)length, text);
    snprintf(r->field, sizeof r->field, "edge");
    if (strcmp(r->name, "agreement") == 0) {
        r->name[0] = '\0'; /* of the first measure */
        snprintf(r->field, sizeof r->field, "agreement");
        return true;
    }
    char *dot = strrchr(r->name, '.');
    for (size_t i = 0; dot && i < sizeof fields / sizeof *fields; i++)
        if (strcmp(dot + 1, fields[i]) == 0) {
            snprintf(r->field, sizeof r->field, "%s", fields[i]);
            *dot = '\0';
            return dot > r->name;
        }
    return true;
}

/* A number, or one with a percent sign. */
static bool parse_bound(const char *text, size_t length, double *out)
{
    char copy[40];
    if (length == 0 || length >= sizeof copy)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    char *end;
    errno = 0;
    *out = strtod(copy, &end);
    if (end == copy || errno || !isfinite(*out))
        return false;
    if (*end == '%') {
        *out /= 100;
        end++;
    }
    return end[strspn(end, " ")] == '\0';
}

static bool parse_one(const char *text, size_t length, xr_requirement *out)
{
    *out = (xr_requirement){.value = NAN, .met = XR_MET_UNKNOWN};
    size_t at = strcspn(text, "<>");
    if (at >= length || length >= sizeof out->text)
        return false;
    snprintf(out->text, sizeof out->text, "%.*s", (int)length, text);
    out->at_least = text[at] == '>';
    bool equal = at + 1 < length && text[at + 1] == '=';
    out->strict = !equal;
    size_t number = at + 1 + equal;
    return parse_name(out, text, at) && parse_bound(text + number, length - number, &out->bound);
}

exray_status xr_requirements_parse(const char *text, xr_requirement **out, size_t *count, exray_error *error)
{
    *out = NULL;
    *count = 0;
    if (!text)
        return EXRAY_OK;
    size_t most = 1;
    for (const char *at = text; *at; at++)
        most += *at == ',';
    *out = calloc(most, sizeof **out);
    if (!*out) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory"};
        return error->status;
    }
    for (const char *at = text;;) {
        at += strspn(at, " ");
        size_t length = strcspn(at, ",");
        if (!parse_one(at, length, &(*out)[*count])) {
            free(*out);
            *out = NULL;
            return refuse(error, at, length);
        }
        ++*count;
        if (!at[length])
            return EXRAY_OK;
        at += length + 1;
    }
}

/* ---- Judging ------------------------------------------------------------------------- */

static double field_of(const xr_requirement *r, const xr_measure *m)
{
    switch (r->field[0]) {
    case 'e':
        return m->edge;
    case 'r':
        return m->reference;
    case 'a':
        return m->agreement;
    default:
        return m->edge - m->reference;
    }
}

/* Of several outputs or groups, the one that is the farthest from the bound; NAN: one is not measured. */
static double worst_value(const xr_requirement *r, const xr_measure *measure, size_t count)
{
    double worst = NAN;
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (*r->name ? strcmp(measure[i].name, r->name) != 0 : i > 0)
            continue;
        double value = field_of(r, &measure[i]);
        if (isnan(value))
            return NAN;
        if (!any || (r->at_least ? value < worst : value > worst))
            worst = value;
        any = true;
    }
    return worst;
}

static bool holds(const xr_requirement *r)
{
    /* 0.7 as a sum of frames is not 0.7 to the last bit. */
    double slack = r->strict ? 0 : 1e-9 * fmax(1, fabs(r->bound));
    double over = r->at_least ? r->value - r->bound : r->bound - r->value;
    return r->strict ? over > 0 : over >= -slack;
}

static void report(const xr_requirement *r, exray_findings *findings)
{
    const char *name = *r->name ? r->name : "agreement";
    exray_finding *f = exray_findings_add(findings, "user.require", EXRAY_SEVERITY_ERROR, 1);
    exray_finding_where(f, "requirement", r->text, EXRAY_NO_INDEX);
    exray_finding_summary(f, "%s%s%s is %.4g; %s %.4g is required.", name, *r->name ? "." : "",
                          *r->name ? r->field : "", r->value,
                          r->at_least ? r->strict ? "more than" : "at least"
                          : r->strict ? "less than"
                                      : "at most",
                          r->bound);
    exray_finding_number(f, "value", r->value);
    exray_finding_number(f, "required", r->bound);
}

void xr_requirements_judge(xr_requirement *requirement, size_t count, const exray_comparison *comparison,
                           exray_findings *findings)
{
    xr_measure measure[XR_MEASURES_MOST];
    size_t measures = xr_measures(comparison, measure);
    for (size_t i = 0; i < count; i++) {
        xr_requirement *r = &requirement[i];
        r->value = worst_value(r, measure, measures);
        r->met = isnan(r->value) ? XR_MET_UNKNOWN : holds(r) ? XR_MET_YES : XR_MET_NO;
        if (r->met == XR_MET_NO)
            report(r, findings);
    }
}

bool xr_requirements_unknown(const xr_requirement *requirement, size_t count,
                             const exray_comparison *comparison, char *reason, size_t size)
{
    xr_measure measure[XR_MEASURES_MOST];
    size_t measures = xr_measures(comparison, measure), used = 0;
    for (size_t i = 0; i < count; i++) {
        if (requirement[i].met != XR_MET_UNKNOWN)
            continue;
        bool known = !*requirement[i].name && measures;
        for (size_t k = 0; k < measures; k++)
            known = known || strcmp(measure[k].name, requirement[i].name) == 0;
        if (known) {
            snprintf(reason, size,
                     "%s is required, but these logs do not tell it: frames need a label (--labels)",
                     requirement[i].text);
            return true;
        }
        used =
            (size_t)snprintf(reason, size, "%s is required, but these logs have no such measure; they have",
                             requirement[i].text);
        for (size_t k = 0; k < measures && used < size; k++)
            used += (size_t)snprintf(reason + used, size - used, "%s %s", k ? "," : "", measure[k].name);
        if (measures == 0 && used < size)
            snprintf(reason + used, size - used, " none: no decisions were compared");
        return true;
    }
    return false;
}
