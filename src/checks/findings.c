/* Findings copy the strings that they are given, and own all their memory. */
#include "checks/findings.h"

#include "checks/options.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *copy_text(const char *text)
{
    size_t size = strlen(text ? text : "") + 1;
    char *copy = malloc(size);
    if (copy)
        memcpy(copy, text ? text : "", size);
    return copy;
}

exray_finding *exray_findings_add(exray_findings *findings, const char *cause, exray_severity severity,
                                  double confidence)
{
    if (findings->limit && findings->count == findings->limit) {
        findings->refused++;
        return &findings->spare;
    }
    exray_finding *finding = calloc(1, sizeof *finding);
    char *name = copy_text(cause);
    if (!finding || !name) {
        free(finding);
        free(name);
        findings->out_of_memory = true;
        return &findings->spare;
    }
    finding->cause = name;
    finding->severity = severity;
    /* In a plug-in's process it is kept as given: the parent process checks it. */
    bool judged_later = findings->limit > 0;
    finding->confidence = judged_later || (confidence >= 0 && confidence <= 1) ? confidence : confidence > 1;
    finding->layer = EXRAY_NO_INDEX;
    finding->assertion = findings->assertion;
    finding->number = findings->count++;
    if (findings->last)
        findings->last->next = finding;
    else
        findings->first = finding;
    findings->last = finding;
    return finding;
}

/* The spare finding is returned in place of one that could not be added. */
static bool is_spare(const exray_finding *finding)
{
    return finding->cause == NULL;
}

#if defined(__GNUC__)
__attribute__((format(printf, 1, 0)))
#endif
static char *
format_text(const char *format, va_list arguments)
{
    if (!format)
        format = "";
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    char *text = length < 0 ? NULL : malloc((size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

static void replace(char **place, char *text)
{
    if (!text)
        return;
    free(*place);
    *place = text;
}

void exray_finding_summary(exray_finding *finding, const char *format, ...)
{
    if (is_spare(finding))
        return;
    va_list arguments;
    va_start(arguments, format);
    replace(&finding->summary, format_text(format, arguments));
    va_end(arguments);
}

void exray_finding_fix(exray_finding *finding, const char *format, ...)
{
    if (is_spare(finding))
        return;
    va_list arguments;
    va_start(arguments, format);
    replace(&finding->fix, format_text(format, arguments));
    va_end(arguments);
}

/* The array with room for one more element; NULL: no memory. */
static void *grow(void *array, size_t count, size_t size)
{
    return realloc(array, (count + 1) * size);
}

void exray_finding_detail(exray_finding *finding, const char *format, ...)
{
    if (is_spare(finding))
        return;
    va_list arguments;
    va_start(arguments, format);
    char *text = format_text(format, arguments);
    va_end(arguments);
    char **grown = text ? grow(finding->detail, finding->detail_count, sizeof *grown) : NULL;
    if (!grown) {
        free(text);
        return;
    }
    finding->detail = grown;
    finding->detail[finding->detail_count++] = text;
}

void exray_finding_where(exray_finding *finding, const char *stage, const char *tensor, uint32_t layer)
{
    if (is_spare(finding))
        return;
    replace(&finding->stage, stage ? copy_text(stage) : NULL);
    replace(&finding->tensor, tensor ? copy_text(tensor) : NULL);
    finding->layer = layer;
}

static void add_evidence(exray_finding *finding, const char *key, char *text, double number)
{
    if (!key)
        key = "";
    xr_evidence *place = (xr_evidence *)xr_finding_evidence(finding, key);
    if (place) {
        free(place->text);
        place->text = text;
        place->number = number;
        return;
    }
    char *name = copy_text(key);
    xr_evidence *grown = name ? grow(finding->evidence, finding->evidence_count, sizeof *grown) : NULL;
    if (!grown) {
        free(name);
        free(text);
        return;
    }
    finding->evidence = grown;
    finding->evidence[finding->evidence_count++] = (xr_evidence){name, text, number};
}

void exray_finding_number(exray_finding *finding, const char *key, double value)
{
    if (!is_spare(finding))
        add_evidence(finding, key, NULL, value);
}

void exray_finding_text(exray_finding *finding, const char *key, const char *value)
{
    char *text = is_spare(finding) ? NULL : copy_text(value);
    if (text)
        add_evidence(finding, key, text, NAN);
}

void exray_finding_alternative(exray_finding *finding, const char *cause, double confidence)
{
    if (is_spare(finding))
        return;
    char *name = copy_text(cause);
    xr_alternative *grown =
        name ? grow(finding->alternative, finding->alternative_count, sizeof *grown) : NULL;
    if (!grown) {
        free(name);
        return;
    }
    finding->alternative = grown;
    finding->alternative[finding->alternative_count++] = (xr_alternative){name, confidence};
}

static void free_finding(exray_finding *f)
{
    for (size_t i = 0; i < f->detail_count; i++)
        free(f->detail[i]);
    for (size_t i = 0; i < f->evidence_count; i++) {
        free(f->evidence[i].key);
        free(f->evidence[i].text);
    }
    for (size_t i = 0; i < f->alternative_count; i++)
        free(f->alternative[i].cause);
    free(f->detail);
    free(f->evidence);
    free(f->alternative);
    free(f->cause);
    free(f->summary);
    free(f->fix);
    free(f->stage);
    free(f->tensor);
    free(f);
}

exray_finding *exray_findings_add_input(exray_findings *findings, const char *cause, const char *text,
                                        const exray_io_pair *input)
{
    exray_finding *f = exray_findings_add(findings, cause, EXRAY_SEVERITY_ERROR, 0.9);
    exray_finding_where(f, "input", input->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(f, "It does not hold of input %s that %s.", input->name[EXRAY_SIDE_EDGE], text);
    exray_finding_number(f, "edge_mean", input->metrics.mean[EXRAY_SIDE_EDGE]);
    exray_finding_number(f, "reference_mean", input->metrics.mean[EXRAY_SIDE_REFERENCE]);
    exray_finding_number(f, "edge_step", input->step[EXRAY_SIDE_EDGE]);
    exray_finding_number(f, "reference_step", input->step[EXRAY_SIDE_REFERENCE]);
    exray_finding_number(f, "rmse", input->metrics.rmse);
    return f;
}

/* ---- Attached state ------------------------------------------------------------------- */

typedef struct xr_attached {
    const char *key;
    size_t index;
    void *state;
    void (*release)(void *state);
    struct xr_attached *next;
} xr_attached;

bool xr_findings_attach(exray_findings *findings, const char *key, size_t index, void *state,
                        void (*release)(void *state))
{
    xr_attached *attached = malloc(sizeof *attached);
    if (!attached) {
        release(state);
        return false;
    }
    *attached = (xr_attached){key, index, state, release, findings->attached};
    findings->attached = attached;
    return true;
}

void *xr_findings_attached(const exray_findings *findings, const char *key, size_t index)
{
    for (const xr_attached *a = findings->attached; a; a = a->next)
        if (a->index == index && strcmp(a->key, key) == 0)
            return a->state;
    return NULL;
}

void xr_findings_clear(exray_findings *findings)
{
    for (exray_finding *f = findings->first, *next; f; f = next) {
        next = f->next;
        free_finding(f);
    }
    for (xr_attached *a = findings->attached, *next; a; a = next) {
        next = a->next;
        a->release(a->state);
        free(a);
    }
    *findings = (exray_findings){0};
}

/* ---- Asking ----------------------------------------------------------------------------- */

const xr_evidence *xr_finding_evidence(const exray_finding *finding, const char *key)
{
    for (size_t i = 0; i < finding->evidence_count; i++)
        if (strcmp(finding->evidence[i].key, key) == 0)
            return &finding->evidence[i];
    return NULL;
}

bool xr_is_about_layer(const exray_comparison *comparison, const exray_finding *finding, size_t layer)
{
    if (finding->layer == layer)
        return true;
    char key[40];
    snprintf(key, sizeof key, "layer_%u",
             (unsigned)exray_comparison_layer(comparison, layer)->node[EXRAY_SIDE_EDGE]);
    return xr_finding_evidence(finding, key) != NULL;
}

bool xr_is_told_of_layer(const exray_comparison *comparison, const exray_findings *findings,
                         const char *cause, size_t layer)
{
    for (const exray_finding *f = findings->first; f; f = f->next)
        if (strcmp(f->cause, cause) == 0 && xr_is_about_layer(comparison, f, layer))
            return true;
    return false;
}

bool xr_has_error(const exray_findings *findings, const char *cause)
{
    const size_t length = strlen(cause);
    const bool prefix = length == 0 || cause[length - 1] == '.';
    for (const exray_finding *f = findings->first; f; f = f->next)
        if (f->severity == EXRAY_SEVERITY_ERROR &&
            (prefix ? strncmp(f->cause, cause, length) == 0 : strcmp(f->cause, cause) == 0))
            return true;
    return false;
}

double exray_findings_option(const exray_findings *findings, const char *name)
{
    const exray_assertion *a = findings->assertion;
    const exray_option *o = a && name ? xr_option_named(a, name, strlen(name)) : NULL;
    if (!o)
        return NAN;
    double value = o->value;
    for (size_t i = 0; i < findings->setting_count; i++)
        if (findings->setting[i].assertion == a && strcmp(findings->setting[i].option, name) == 0)
            value = findings->setting[i].value;
    return value;
}

const char *xr_severity_name(exray_severity severity)
{
    return severity == EXRAY_SEVERITY_ERROR     ? "error"
           : severity == EXRAY_SEVERITY_WARNING ? "warning"
                                                : "info";
}
