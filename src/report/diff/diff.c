#include "report/diff/diff.h"

#include "base/error.h"
#include "base/file.h"
#include "report/measure_words.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 1 << 28, MOST_FINDINGS = 10000 };

/* ---- The files ------------------------------------------------------------------------ */

const char *xr_diff_member(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    return text ? text : "";
}

static double number_of(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

const char *xr_diff_place(const cJSON *finding)
{
    const cJSON *where = cJSON_GetObjectItemCaseSensitive(finding, "where");
    const char *tensor = xr_diff_member(where, "tensor");
    return *tensor ? tensor : xr_diff_member(where, "stage");
}

static bool has_verdict(const cJSON *root)
{
    static const char *const verdicts[] = {"pass", "fail", "inconclusive"};
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
        if (strcmp(xr_diff_member(root, "verdict"), verdicts[i]) == 0)
            return true;
    return false;
}

static bool has_findings(const cJSON *root)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "findings"), *item;
    if (!cJSON_IsArray(list))
        return false;
    cJSON_ArrayForEach(item, list) if (!*xr_diff_member(item, "cause") ||
                                       !*xr_diff_member(item, "severity")) return false;
    return true;
}

static exray_status read_one(const char *path, cJSON **out, exray_error *error)
{
    size_t size;
    char *text = xr_file_read(path, MOST_BYTES, &size, error);
    if (!text)
        return error->status;
    char *begin = xr_text_begin(text);
    *out = cJSON_ParseWithLength(begin, size - (size_t)(begin - text));
    free(text);
    if (!*out)
        return xr_error_set(error, EXRAY_E_FORMAT, "'%.300s' is not JSON: `exray validate --json` writes it",
                            path);
    if (strcmp(xr_diff_member(*out, "format"), "exray-validation") != 0)
        return xr_error_set(error, EXRAY_E_FORMAT,
                            "'%.300s' is no validation: `exray validate --json` writes one", path);
    if (number_of(*out, "version") != 1)
        return xr_error_set(error, EXRAY_E_UNSUPPORTED, "'%.300s' is a validation of another version than 1",
                            path);
    if (!has_verdict(*out) || !has_findings(*out))
        return xr_error_set(error, EXRAY_E_FORMAT,
                            "'%.300s' is no whole validation: it has no verdict, or no list of findings with "
                            "cause and severity; write it again with `exray validate --json`",
                            path);
    if (cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(*out, "findings")) > MOST_FINDINGS)
        return xr_error_set(error, EXRAY_E_FORMAT, "'%.300s' has more than %d findings", path, MOST_FINDINGS);
    return EXRAY_OK;
}

/* ---- Findings -------------------------------------------------------------------------- */

bool xr_diff_is_known(const cJSON *finding)
{
    return cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(finding, "known"));
}

/* How bad it is: 0 for what was accepted, and for remarks. */
static int rank_of(const cJSON *finding)
{
    const char *severity = xr_diff_member(finding, "severity");
    if (xr_diff_is_known(finding))
        return 0;
    return strcmp(severity, "error") == 0 ? 2 : strcmp(severity, "warning") == 0 ? 1 : 0;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Warnings of time and of the log itself come and go with the machine. */
static bool counts(const cJSON *finding, const xr_diff_options *options)
{
    const char *cause = xr_diff_member(finding, "cause");
    int rank = rank_of(finding);
    if (rank == 1 && begins(cause, "perf."))
        return options->fail_on_perf;
    if (rank == 1 && begins(cause, "log."))
        return options->fail_on_log;
    return rank > 0;
}

static bool is_same_finding(const cJSON *a, const cJSON *b)
{
    const cJSON *where[2] = {cJSON_GetObjectItemCaseSensitive(a, "where"),
                             cJSON_GetObjectItemCaseSensitive(b, "where")};
    return strcmp(xr_diff_member(a, "cause"), xr_diff_member(b, "cause")) == 0 &&
           strcmp(xr_diff_member(where[0], "stage"), xr_diff_member(where[1], "stage")) == 0 &&
           strcmp(xr_diff_member(where[0], "tensor"), xr_diff_member(where[1], "tensor")) == 0;
}

static xr_diff_finding *counterpart(xr_diff *d, const cJSON *finding)
{
    for (size_t i = 0; i < d->findings; i++)
        if (d->finding[i].side[0] && !d->finding[i].side[1] &&
            is_same_finding(d->finding[i].side[0], finding))
            return &d->finding[i];
    return NULL;
}

static bool compare_findings(xr_diff *d, const xr_diff_options *options)
{
    const cJSON *list[2], *item;
    size_t room = 1;
    for (int s = 0; s < 2; s++) {
        list[s] = cJSON_GetObjectItemCaseSensitive(d->root[s], "findings");
        room += (size_t)cJSON_GetArraySize(list[s]);
    }
    d->finding = calloc(room, sizeof *d->finding);
    if (!d->finding)
        return false;
    cJSON_ArrayForEach(item, list[0]) d->finding[d->findings++] =
        (xr_diff_finding){XR_GONE, {item, NULL}, false};
    cJSON_ArrayForEach(item, list[1])
    {
        xr_diff_finding *both = counterpart(d, item);
        if (!both) {
            d->finding[d->findings++] = (xr_diff_finding){XR_NEW, {NULL, item}, counts(item, options)};
            continue;
        }
        int change = rank_of(item) - rank_of(both->side[0]);
        both->side[1] = item;
        both->change = change > 0 ? XR_WORSE : change < 0 ? XR_BETTER : XR_SAME;
        both->counts = change > 0 && counts(item, options);
    }
    return true;
}

/* ---- Measures --------------------------------------------------------------------------- */

/* NULL: there is nothing to tell, or no room. */
static xr_diff_measure *add_measure(xr_diff *d, const char *name, const double value[2], bool higher,
                                    double tolerance)
{
    if (d->measures == XR_DIFF_MEASURES || (isnan(value[0]) && isnan(value[1])))
        return NULL;
    xr_diff_measure *m = &d->measure[d->measures++];
    double gain = higher ? value[1] - value[0] : value[0] - value[1];
    *m = (xr_diff_measure){.value = {value[0], value[1]}};
    snprintf(m->name, sizeof m->name, "%s", name);
    snprintf(m->words, sizeof m->words, "%s", name);
    /* A value that is not told any more cannot be told to be as good. */
    m->change = isnan(value[0])              ? XR_NEW
                : isnan(value[1])            ? XR_GONE
                : gain < -(tolerance + 1e-9) ? XR_WORSE
                : gain > tolerance + 1e-9    ? XR_BETTER
                                             : XR_SAME;
    m->counts = m->change == XR_WORSE || m->change == XR_GONE;
    return m;
}

static bool is_same_measure(const cJSON *a, const cJSON *b)
{
    static const char *const keys[] = {"name", "output", "group"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(xr_diff_member(a, keys[i]), xr_diff_member(b, keys[i])) != 0)
            return false;
    return true;
}

static const cJSON *measures_of(const cJSON *root)
{
    return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(root, "accuracy"), "measures");
}

static void compare_measure(xr_diff *d, const cJSON *old, const cJSON *new, double tolerance)
{
    const cJSON *one = new ? new : old;
    const char *output = xr_diff_member(one, "output"), *group = xr_diff_member(one, "group");
    char words[XR_MEASURE_WORDS_MOST];
    const char *const names[2] = {xr_diff_member(one, "name"),
                                  xr_measure_words(words, xr_diff_member(one, "name"))};
    bool higher = strcmp(xr_diff_member(one, "better"), "lower") != 0;
    const double value[2] = {number_of(old, "edge"), number_of(new, "edge")};
    const double equal[2] = {number_of(old, "agreement"), number_of(new, "agreement")};
    for (int k = 0; k < 2; k++) {
        /* Where less is better, so it is between the sides: the agreement is a distance, too. */
        xr_diff_measure *m = add_measure(d, "", k ? equal : value, higher, tolerance);
        if (!m)
            continue;
        const char *what = k ? ", agreement" : "";
        snprintf(m->name, sizeof m->name, "%.40s%s%.24s%s%.24s%s", names[0], *output ? " of " : "", output,
                 *group ? ", " : "", group, what);
        snprintf(m->words, sizeof m->words, "%.80s%s%.24s%s%.47s%s", names[1], *output ? " of " : "", output,
                 *group ? ", " : "", group, what);
        m->of_group = *group;
    }
}

/* Files of earlier versions have the keys of the first measure only. */
static void compare_accuracy(xr_diff *d, double tolerance)
{
    static const char *const keys[] = {"edge", "agreement"}, *const names[] = {"accuracy", "agreement"};
    for (size_t i = 0; i < 2; i++) {
        double value[2];
        for (int s = 0; s < 2; s++)
            value[s] = number_of(cJSON_GetObjectItemCaseSensitive(d->root[s], "accuracy"), keys[i]);
        add_measure(d, names[i], value, true, tolerance);
    }
}

static void compare_measures(xr_diff *d, double tolerance)
{
    const cJSON *list[2] = {measures_of(d->root[0]), measures_of(d->root[1])}, *item, *other;
    if (!list[0] || !list[1]) {
        compare_accuracy(d, tolerance);
        return;
    }
    cJSON_ArrayForEach(item, list[0])
    {
        const cJSON *found = NULL;
        cJSON_ArrayForEach(other, list[1]) if (!found && is_same_measure(item, other)) found = other;
        compare_measure(d, item, found, tolerance);
    }
    cJSON_ArrayForEach(item, list[1])
    {
        bool found = false;
        cJSON_ArrayForEach(other, list[0]) found = found || is_same_measure(item, other);
        if (!found)
            compare_measure(d, NULL, item, tolerance);
    }
}

bool xr_diff_tells(const xr_diff_measure *measure)
{
    return !measure->of_group || measure->change != XR_SAME;
}

/* The share of the layers that were compared. */
static void compare_coverage(xr_diff *d, double tolerance)
{
    double share[2];
    for (int s = 0; s < 2; s++) {
        const cJSON *coverage = cJSON_GetObjectItemCaseSensitive(d->root[s], "coverage");
        double layers = number_of(coverage, "edge_layers");
        share[s] = layers > 0 ? number_of(coverage, "compared") / layers : NAN;
    }
    add_measure(d, "share of layers compared", share, true, tolerance);
}

/* ---- The whole --------------------------------------------------------------------------- */

static int verdict_rank(const cJSON *root)
{
    const char *verdict = xr_diff_member(root, "verdict");
    return strcmp(verdict, "pass") == 0 ? 0 : strcmp(verdict, "fail") == 0 ? 2 : 1;
}

static xr_change change_of(const xr_diff *d)
{
    bool better = d->verdict == XR_BETTER;
    if (d->verdict == XR_WORSE)
        return XR_WORSE;
    for (size_t i = 0; i < d->findings; i++) {
        if (d->finding[i].counts)
            return XR_WORSE;
        better = better || ((d->finding[i].change == XR_GONE || d->finding[i].change == XR_BETTER) &&
                            rank_of(d->finding[i].side[0]) > 0);
    }
    for (size_t i = 0; i < d->measures; i++) {
        if (d->measure[i].counts)
            return XR_WORSE;
        better = better || d->measure[i].change == XR_BETTER;
    }
    return better ? XR_BETTER : XR_SAME;
}

exray_status xr_diff_read(const char *old_path, const char *new_path, const xr_diff_options *options,
                          xr_diff *out, exray_error *error)
{
    *out = (xr_diff){.path = {old_path, new_path}};
    for (int s = 0; s < 2; s++) {
        exray_status status = read_one(out->path[s], &out->root[s], error);
        if (status)
            return status;
        out->latency[s] = number_of(cJSON_GetObjectItemCaseSensitive(out->root[s], "latency"), "edge_ms");
    }
    if (!compare_findings(out, options))
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory");
    compare_measures(out, options->tolerance);
    compare_coverage(out, options->tolerance);
    int change = verdict_rank(out->root[1]) - verdict_rank(out->root[0]);
    out->verdict = change > 0 ? XR_WORSE : change < 0 ? XR_BETTER : XR_SAME;
    out->change = change_of(out);
    return EXRAY_OK;
}

void xr_diff_free(xr_diff *diff)
{
    cJSON_Delete(diff->root[0]);
    cJSON_Delete(diff->root[1]);
    free(diff->finding);
    *diff = (xr_diff){0};
}

const char *xr_change_name(xr_change change)
{
    static const char *const names[XR_CHANGES] = {"same", "new", "gone", "worse", "better"};
    return names[change];
}

size_t xr_diff_count(const xr_diff *diff, xr_change change)
{
    size_t count = 0;
    for (size_t i = 0; i < diff->findings; i++)
        count += diff->finding[i].change == change;
    return count;
}

const cJSON *xr_diff_shown(const xr_diff_finding *finding)
{
    if (finding->change == XR_SAME)
        return NULL;
    return finding->side[1] ? finding->side[1] : finding->side[0];
}
