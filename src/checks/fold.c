/* The order of findings, and what is only a consequence. */
#include "checks/checks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has_prefix(const char *cause, const char *prefix)
{
    return strncmp(cause, prefix, strlen(prefix)) == 0;
}

/* Along the way of the data: what comes first may cause what comes after. */
static int stage_of(const exray_finding *f)
{
    static const char *const stages[] = {"input.", "model.", "layer.", "output.", "user.", "perf.", "log."};
    enum { COUNT = sizeof stages / sizeof *stages };
    for (int i = 0; i < COUNT; i++)
        if (has_prefix(f->cause, stages[i]))
            return i;
    return COUNT;
}

static bool is_unknown(const exray_finding *f)
{
    size_t length = strlen(f->cause);
    return length > 8 && strcmp(f->cause + length - 8, ".unknown") == 0;
}

static int compare(const void *left, const void *right)
{
    const exray_finding *a = *(exray_finding *const *)left, *b = *(exray_finding *const *)right;
    if (a->severity != b->severity)
        return a->severity > b->severity ? -1 : 1;
    int stage = stage_of(a) - stage_of(b);
    if (stage)
        return stage;
    /* A name before "something else, too". */
    if (is_unknown(a) != is_unknown(b))
        return is_unknown(a) ? 1 : -1;
    if (a->layer != b->layer)
        return a->layer < b->layer ? -1 : 1;
    bool doubtful = a->confidence < 0.5;
    if (doubtful != (b->confidence < 0.5))
        return doubtful ? 1 : -1;
    return (a->number > b->number) - (a->number < b->number);
}

static bool has_evidence(const exray_finding *f, const char *key)
{
    for (size_t i = 0; i < f->evidence_count; i++)
        if (strcmp(f->evidence[i].key, key) == 0)
            return true;
    return false;
}

/* Other weights explain why a layer computes something else, and so does what is named of
 * layers: of the whole model, or of that layer (such findings list theirs as evidence). */
bool xr_is_about_layer(const exray_comparison *comparison, const exray_finding *finding, size_t layer)
{
    if (finding->layer == layer)
        return true;
    char key[40];
    snprintf(key, sizeof key, "layer_%u",
             (unsigned)exray_comparison_layer(comparison, layer)->node[EXRAY_SIDE_EDGE]);
    return has_evidence(finding, key);
}

/* An error that no single layer makes: what is named of any layer accounts for it. */
static bool is_build_up(const exray_finding *f)
{
    return has_evidence(f, "build_up");
}

static bool layers_account_for(const exray_comparison *comparison, const exray_finding *cause,
                               const exray_finding *f)
{
    if (strcmp(cause->cause, "model.version") == 0)
        return true;
    bool of_operator = strcmp(cause->cause, "model.operator") == 0;
    bool lists_layers = of_operator || strcmp(cause->cause, "model.weights") == 0 ||
                        (has_prefix(cause->cause, "layer.") && !is_unknown(cause));
    if (!lists_layers || !comparison || f->layer == EXRAY_NO_INDEX)
        return false;
    if (is_build_up(f))
        return true;
    /* Statistics bound errors from below: they may well begin at a layer before. */
    if (exray_comparison_layer(comparison, f->layer)->from_stats && cause->layer != EXRAY_NO_INDEX &&
        cause->layer < f->layer)
        return true;
    return xr_is_about_layer(comparison, cause, f->layer);
}

static double evidence_number(const exray_finding *f, const char *key)
{
    for (size_t i = 0; i < f->evidence_count; i++)
        if (strcmp(f->evidence[i].key, key) == 0 && !f->evidence[i].text)
            return f->evidence[i].number;
    return NAN;
}

/* A layer of 8 bits that errs little more than usual is established by the outputs alone:
 * not where they are wrong for a reason of their own. */
static bool is_doubtful_layer(const exray_finding *f)
{
    double error = evidence_number(f, "error_to_signal"), noise = evidence_number(f, "noise_to_signal");
    return noise > 1e-2 && error < 3 * noise;
}

/* An output that is a function of the reference's (an activation, a scale) explains the
 * layers from the one on that `cause` gives as its place. */
static bool output_accounts_for(const exray_finding *cause, const exray_finding *f)
{
    if (!has_prefix(cause->cause, "output.") || !cause->stage || strcmp(cause->stage, "output") != 0)
        return false;
    bool behind = cause->layer != EXRAY_NO_INDEX && f->layer != EXRAY_NO_INDEX && f->layer >= cause->layer;
    return behind || is_doubtful_layer(f);
}

/* Whether `cause`, an established fault, accounts for `f`, which is one of the
 * unexplained differences that every earlier fault brings about.  Another *named*
 * cause is a fault of its own and stays. */
static bool accounts_for(const exray_comparison *comparison, const exray_finding *cause,
                         const exray_finding *f)
{
    if (cause == f || cause->folded || cause->severity != EXRAY_SEVERITY_ERROR)
        return false;
    if (stage_of(cause) > 3 || !f->stage)
        return false;
    /* Another model computes other values in every way. */
    if (strcmp(cause->cause, "model.version") == 0 &&
        (has_prefix(f->cause, "layer.") || strcmp(f->cause, "model.operator") == 0))
        return true;
    if (has_prefix(f->cause, "output.") && is_unknown(f))
        return stage_of(cause) < 3;
    if (strcmp(f->cause, "layer.unknown") == 0 &&
        (layers_account_for(comparison, cause, f) || output_accounts_for(cause, f)))
        return true;
    /* A difference seen at the outputs alone, with any fault before them. */
    if (strcmp(f->cause, "layer.unknown") == 0 && strcmp(f->stage, "output") == 0)
        return !is_unknown(cause) || stage_of(cause) < 2 ||
               (cause->stage && strcmp(cause->stage, "layer") == 0);
    /* A layer whose role says that it only passes the error on. */
    return false;
}

static void note_consequence(exray_finding *cause, const exray_finding *f)
{
    for (size_t i = 0; i < cause->evidence_count; i++) {
        xr_evidence *e = &cause->evidence[i];
        if (strcmp(e->key, "consequences") != 0 || !e->text)
            continue;
        size_t size = strlen(e->text) + strlen(f->cause) + 3;
        char *joined = malloc(size);
        if (joined) {
            snprintf(joined, size, "%s, %s", e->text, f->cause);
            free(e->text);
            e->text = joined;
        }
        return;
    }
    exray_finding_text(cause, "consequences", f->cause);
}

/* Layers with a role "propagates" count as consequences of the first cause. */
static void note_layers(const exray_comparison *comparison, exray_finding *cause)
{
    size_t propagating = 0;
    for (size_t i = 0; comparison && i < exray_comparison_layer_count(comparison); i++)
        propagating += exray_comparison_layer(comparison, i)->role == EXRAY_LAYER_ROLE_PROPAGATES;
    if (propagating)
        exray_finding_number(cause, "propagating_layers", (double)propagating);
}

size_t xr_fold(const exray_comparison *comparison, exray_findings *findings, exray_finding **shown)
{
    for (exray_finding *f = findings->first; f; f = f->next)
        for (exray_finding *cause = findings->first; cause && !f->folded; cause = cause->next)
            if (accounts_for(comparison, cause, f)) {
                f->folded = true;
                note_consequence(cause, f);
            }
    size_t count = 0;
    for (exray_finding *f = findings->first; f; f = f->next)
        if (!f->folded)
            shown[count++] = f;
    qsort(shown, count, sizeof *shown, compare);
    if (count && shown[0]->severity == EXRAY_SEVERITY_ERROR)
        note_layers(comparison, shown[0]);
    return count;
}
