#define _POSIX_C_SOURCE 200809L
#include "checks/labels/string_ports.h"

#include "checks/labels/class_names.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    MOST_NAMES = 1000, /* more are texts, not names of classes */
    MOST_NOTED = 4096, /* elements of a frame whose names are noted, and as many that differ */
    SHOWN = 60,        /* bytes of a name in a sentence */
};

/* ---- The strings of a record (spec/log-format.md, "Strings") ---- */

typedef struct string_list {
    const uint8_t *data;
    size_t size;
    uint32_t count;
} string_list;

typedef struct string_span {
    const char *at;
    size_t size;
} string_span;

static size_t number_at(const uint8_t *p)
{
    return (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
}

/* Bytes 4, 5, ...: where each begins, and where the last one ends. */
static bool is_whole(const string_list *list)
{
    size_t last = 4 * ((size_t)list->count + 2);
    for (size_t i = 0; i <= list->count; i++) {
        const size_t at = number_at(list->data + 4 * (i + 1));
        if (at < last || at > list->size)
            return false;
        last = at;
    }
    return true;
}

static bool read_list(const exray_comparison *c, exray_side side, size_t frame, exray_kind kind,
                      const char *name, exray_slot *slot, string_list *out)
{
    exray_tensor_view view;
    exray_error ignored;
    const exray_log *log = exray_comparison_log(c, side);
    const exray_record *record =
        exray_log_find(log, exray_comparison_frame(c, frame).frame[side], kind, EXRAY_NO_INDEX, 0, name);
    if (!record || !record->has_data || exray_log_read_tensor(log, record, slot, &view, &ignored) ||
        view.info.dtype != EXRAY_DTYPE_STRING || view.size < 8)
        return false;
    *out = (string_list){view.data, view.size, 0};
    const size_t count = number_at(out->data);
    if (count > (view.size - 8) / 4)
        return false;
    out->count = (uint32_t)count;
    return is_whole(out);
}

static string_span span_of(const string_list *list, size_t i)
{
    const size_t begin = number_at(list->data + 4 * (i + 1)), end = number_at(list->data + 4 * (i + 2));
    return (string_span){(const char *)list->data + begin, end - begin};
}

static bool is_text(string_span a, const char *b)
{
    return strlen(b) == a.size && memcmp(a.at, b, a.size) == 0;
}

/* ---- Which name stands for which ---- */

typedef struct name_pair {
    char *name[2]; /* by exray_side */
    bool same;
    size_t times;
} name_pair;

typedef struct string_port {
    const exray_comparison *comparison;
    exray_kind kind; /* INPUT, OUTPUT */
    const char *name[2];
    exray_slot *slot[2], *number_slot[2];
    name_pair pair[MOST_NAMES];
    size_t pairs, compared, otherwise;
    bool *agrees; /* [room] whether the numbers of a row of the frame do */
    size_t room;
    size_t fewer;       /* frames in which the sides have other numbers of strings */
    uint32_t number[2]; /* in the first of them */
    size_t read;        /* frames of which both sides have the strings */
    bool backed;        /* by numbers of the same rows */
    bool too_many;      /* names */
    bool *chosen;       /* frames in which one differs */
} string_port;

static char *copy(string_span t)
{
    char *out = malloc(t.size + 1);
    if (out) {
        memcpy(out, t.at, t.size);
        out[t.size] = '\0';
    }
    return out;
}

/* Inputs are given as they are; names of classes are the same that have the same words. */
static bool are_same(const string_port *o, string_span a, string_span b)
{
    char plain[2][XR_CLASS_NAME_SIZE];
    if (a.size == b.size && memcmp(a.at, b.at, a.size) == 0)
        return true;
    if (o->kind == EXRAY_KIND_INPUT || a.size >= XR_CLASS_NAME_SIZE - 1 || b.size >= XR_CLASS_NAME_SIZE - 1)
        return false;
    xr_class_name_plain(a.at, a.size, plain[0]);
    xr_class_name_plain(b.at, b.size, plain[1]);
    return *plain[0] && strcmp(plain[0], plain[1]) == 0;
}

static bool note_pair(string_port *o, string_span edge, string_span reference, bool same)
{
    if (o->too_many && same)
        return true; /* how often equal ones come is told nowhere */
    for (size_t i = 0; i < o->pairs; i++) {
        name_pair *p = &o->pair[i];
        if (is_text(edge, p->name[EXRAY_SIDE_EDGE]) && is_text(reference, p->name[EXRAY_SIDE_REFERENCE])) {
            p->times++;
            return true;
        }
    }
    o->too_many = o->pairs == MOST_NAMES;
    if (o->too_many)
        return true;
    name_pair *p = &o->pair[o->pairs];
    *p = (name_pair){{copy(edge), copy(reference)}, same, 1};
    if (p->name[0] && p->name[1]) {
        o->pairs++;
        return true;
    }
    free(p->name[0]);
    free(p->name[1]);
    return false;
}

/* The place of the largest of `count` values behind the first `skip`. */
static size_t largest(const float *values, size_t skip, size_t count)
{
    size_t best = skip;
    for (size_t i = skip + 1; i < skip + count; i++)
        if (values[i] > values[best])
            best = i;
    return best;
}

/* One number is the class itself, or a measure of it; of several the largest is the class. */
static bool row_agrees(const float *a, const float *b, size_t row, size_t length)
{
    if (length > 1)
        return largest(a, row * length, length) == largest(b, row * length, length);
    return fabsf(a[row] - b[row]) <= 1e-3F * fmaxf(1, fabsf(b[row]));
}

/* agrees[i]: whether the numbers of row i of all outputs mean the same.  False: there are none of so many
 * rows. */
static bool compare_rows(string_port *o, size_t frame, size_t rows)
{
    bool any = false;
    for (size_t i = 0; i < rows; i++)
        o->agrees[i] = true;
    for (size_t p = 0; p < exray_comparison_output_count(o->comparison); p++) {
        exray_tensor_view view[2];
        const float *values[2];
        exray_error ignored;
        bool there = true;
        for (int s = 0; s < 2 && there; s++)
            there = exray_comparison_values(o->comparison, (exray_side)s, frame, EXRAY_KIND_OUTPUT, p,
                                            o->number_slot[s], &view[s], &values[s], &ignored) == EXRAY_OK;
        if (!there || view[0].count != view[1].count || view[0].count == 0 || view[0].count % rows)
            continue;
        const size_t length = (size_t)(view[0].count / rows);
        any = true;
        for (size_t i = 0; i < rows; i++)
            o->agrees[i] = o->agrees[i] && row_agrees(values[0], values[1], i, length);
    }
    return any;
}

static bool make_room(string_port *o, size_t rows)
{
    bool *grown = rows > o->room ? realloc(o->agrees, rows * sizeof *grown) : o->agrees;
    if (rows > o->room && grown) {
        o->agrees = grown;
        o->room = rows;
    }
    return rows <= o->room;
}

static void note_fewer(string_port *o, size_t frame, const string_list list[2])
{
    for (int s = 0; s < 2 && o->fewer == 0; s++)
        o->number[s] = list[s].count;
    o->fewer++;
    o->chosen[frame] = true;
}

static bool compare_frame(string_port *o, size_t frame)
{
    string_list list[2];
    for (int s = 0; s < 2; s++)
        if (!read_list(o->comparison, (exray_side)s, frame, o->kind, o->name[s], o->slot[s], &list[s]))
            return true;
    o->read++;
    const size_t rows = list[0].count;
    if (rows != list[1].count) {
        note_fewer(o, frame, list);
        return true;
    }
    if (!make_room(o, rows))
        return false;
    const bool backed = rows && o->kind == EXRAY_KIND_OUTPUT && compare_rows(o, frame, rows);
    for (size_t i = 0; i < rows; i++) {
        const string_span edge = span_of(&list[0], i), reference = span_of(&list[1], i);
        if (backed && !o->agrees[i])
            continue;
        const bool same = are_same(o, edge, reference);
        o->backed = o->backed || backed;
        o->compared++;
        o->otherwise += !same;
        o->chosen[frame] = o->chosen[frame] || !same;
        const bool noted = i < MOST_NOTED || (!same && o->otherwise <= MOST_NOTED);
        if (noted && !note_pair(o, edge, reference, same))
            return false;
    }
    return true;
}

/* Whether each name of one side is one name of the other's; *changed: how many are another. */
static bool is_one_to_one(const string_port *o, size_t *changed)
{
    *changed = 0;
    for (size_t i = 0; i < o->pairs; i++) {
        *changed += !o->pair[i].same;
        for (size_t k = 0; k < i; k++)
            for (int s = 0; s < 2; s++)
                if (strcmp(o->pair[i].name[s], o->pair[k].name[s]) == 0)
                    return false;
    }
    return !o->too_many;
}

static const name_pair *example_of(const string_port *o)
{
    const name_pair *found = NULL;
    for (size_t i = 0; i < o->pairs; i++)
        if (!o->pair[i].same && (!found || o->pair[i].times > found->times))
            found = &o->pair[i];
    return found;
}

static void report_output(const string_port *o, exray_findings *findings)
{
    size_t changed;
    const bool names = is_one_to_one(o, &changed) && (o->backed || changed > 1);
    const name_pair *example = example_of(o);
    const double confidence = !o->backed ? 0.6 : names && changed > 1 ? 0.97 : 0.9;
    exray_finding *f = exray_findings_add(findings, names ? "output.labels" : "output.postprocess",
                                          EXRAY_SEVERITY_ERROR, confidence);
    exray_finding_where(f, "output", o->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(
        f, "The strings of the edge's output %.80s are others%s: \"%.*s\" where the reference has \"%.*s\".",
        o->name[EXRAY_SIDE_EDGE], o->backed ? " behind the same numbers" : "", (int)SHOWN,
        example ? example->name[EXRAY_SIDE_EDGE] : "?", (int)SHOWN,
        example ? example->name[EXRAY_SIDE_REFERENCE] : "?");
    exray_finding_detail(f, "%zu of %zu strings differ.", o->otherwise, o->compared);
    if (names) {
        exray_finding_detail(f, "Each name stands for one of the reference's: %zu of %zu are another.",
                             changed, o->pairs);
        exray_finding_fix(f, "Give both models one list of names, in the order of their scores.");
    } else {
        exray_finding_text(f, "kind", "text");
        exray_finding_fix(f, "Compare how the two models make these strings of their numbers.");
    }
    if (!o->backed)
        exray_finding_alternative(f, names ? "output.postprocess" : "output.labels", 0.4);
    exray_finding_number(f, "compared", (double)o->compared);
    exray_finding_number(f, "otherwise", (double)o->otherwise);
    exray_finding_frames(f, o->comparison, o->chosen);
}

/* Whether they differ in nothing but the case of ASCII letters. */
static bool differ_in_case(const string_port *o)
{
    for (size_t i = 0; i < o->pairs; i++)
        if (strcasecmp(o->pair[i].name[0], o->pair[i].name[1]) != 0)
            return false;
    return !o->too_many;
}

static void report_input(const string_port *o, exray_findings *findings)
{
    const name_pair *example = example_of(o);
    exray_finding *f = exray_findings_add(findings, "input.tokens", EXRAY_SEVERITY_ERROR, 0.95);
    exray_finding_where(f, "input", o->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(
        f, "The strings of the edge's input %.80s are others: \"%.*s\" where the reference has \"%.*s\".",
        o->name[EXRAY_SIDE_EDGE], (int)SHOWN, example ? example->name[EXRAY_SIDE_EDGE] : "?", (int)SHOWN,
        example ? example->name[EXRAY_SIDE_REFERENCE] : "?");
    exray_finding_detail(f, "%zu of %zu strings differ%s.", o->otherwise, o->compared,
                         differ_in_case(o) ? ", in upper and lower case alone" : "");
    exray_finding_fix(f, "Give both models the same strings: compare what is done to them before the model.");
    exray_finding_number(f, "compared", (double)o->compared);
    exray_finding_number(f, "otherwise", (double)o->otherwise);
    exray_finding_frames(f, o->comparison, o->chosen);
}

static void report_fewer(const string_port *o, exray_findings *findings)
{
    const bool input = o->kind == EXRAY_KIND_INPUT;
    exray_finding *f = exray_findings_add(findings, input ? "input.tokens" : "output.postprocess",
                                          EXRAY_SEVERITY_ERROR, 0.9);
    exray_finding_where(f, input ? "input" : "output", o->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(f, "The edge's %s %.80s has %u strings where the reference has %u, in %zu frames.",
                          input ? "input" : "output", o->name[EXRAY_SIDE_EDGE],
                          (unsigned)o->number[EXRAY_SIDE_EDGE], (unsigned)o->number[EXRAY_SIDE_REFERENCE],
                          o->fewer);
    if (!input)
        exray_finding_text(f, "kind", "text");
    exray_finding_fix(f, "Compare what decides how many there are.");
    exray_finding_number(f, "frames_other_size", (double)o->fewer);
    exray_finding_frames(f, o->comparison, o->chosen);
}

/* Whether numbers have other shapes, too: then those tell it. */
static bool is_told_by_numbers(const exray_comparison *c)
{
    for (size_t i = 0; i < exray_comparison_input_count(c); i++)
        if (exray_comparison_input(c, i)->other_shape)
            return true;
    for (size_t i = 0; i < exray_comparison_output_count(c); i++)
        if (exray_comparison_output(c, i)->other_shape)
            return true;
    return false;
}

static void report(const string_port *o, exray_findings *findings)
{
    if (o->otherwise && o->kind == EXRAY_KIND_INPUT)
        report_input(o, findings);
    else if (o->otherwise)
        report_output(o, findings);
    else if (o->fewer && !is_told_by_numbers(o->comparison))
        report_fewer(o, findings);
}

/* ---- Which inputs and outputs ---- */

/* The i-th input (output) of strings of a side's model; NULL: it has not so many. */
static const char *port_at(const exray_model *model, exray_kind kind, size_t at)
{
    const uint32_t *ports = kind == EXRAY_KIND_INPUT ? model->inputs : model->outputs;
    const uint32_t count = kind == EXRAY_KIND_INPUT ? model->input_count : model->output_count;
    for (uint32_t i = 0; i < count; i++) {
        const exray_tensor_info *t = ports[i] < model->tensor_count ? &model->tensors[ports[i]] : NULL;
        if (t && t->dtype == EXRAY_DTYPE_STRING && t->name && *t->name && at-- == 0)
            return t->name;
    }
    return NULL;
}

/* That of the other model that has the name; where both have one of strings, that. */
static const char *counterpart(const exray_model *const model[2], exray_kind kind, const char *edge)
{
    const exray_model *other = model[EXRAY_SIDE_REFERENCE];
    const char *found;
    for (size_t i = 0; (found = port_at(other, kind, i)) != NULL; i++)
        if (strcmp(found, edge) == 0)
            return found;
    return port_at(model[EXRAY_SIDE_EDGE], kind, 1) || port_at(other, kind, 1) ? NULL
                                                                               : port_at(other, kind, 0);
}

static bool compare_port(string_port *o, exray_findings *findings)
{
    const size_t frames = exray_comparison_frame_count(o->comparison);
    o->chosen = calloc(frames + 1, sizeof *o->chosen);
    bool good = o->chosen != NULL;
    for (int s = 0; s < 2; s++) {
        o->slot[s] = exray_slot_new();
        o->number_slot[s] = exray_slot_new();
        good = good && o->slot[s] && o->number_slot[s];
    }
    for (size_t f = 0; good && f < frames; f++)
        good = compare_frame(o, f);
    if (good)
        report(o, findings);
    for (int s = 0; s < 2; s++) {
        exray_slot_free(o->slot[s]);
        exray_slot_free(o->number_slot[s]);
    }
    for (size_t i = 0; i < o->pairs; i++) {
        free(o->pair[i].name[0]);
        free(o->pair[i].name[1]);
    }
    free(o->chosen);
    free(o->agrees);
    return good;
}

static exray_status compare_ports(const exray_comparison *comparison, exray_kind kind,
                                  exray_findings *findings, bool *any, exray_error *error)
{
    const exray_model *model[2];
    const char *unread = NULL;
    bool good = true;
    *any = false;
    for (int s = 0; s < 2; s++)
        if (!(model[s] = exray_log_model(exray_comparison_log(comparison, (exray_side)s))))
            return EXRAY_OK;
    const char *edge, *reference;
    for (size_t i = 0; good && (edge = port_at(model[EXRAY_SIDE_EDGE], kind, i)) != NULL; i++) {
        if (!(reference = counterpart(model, kind, edge)))
            continue;
        string_port *o = calloc(1, sizeof *o);
        good = o != NULL;
        if (o) {
            o->comparison = comparison;
            o->kind = kind;
            o->name[EXRAY_SIDE_EDGE] = edge;
            o->name[EXRAY_SIDE_REFERENCE] = reference;
            good = compare_port(o, findings);
            *any = *any || o->compared || o->fewer;
            unread = o->read || exray_comparison_frame_count(comparison) == 0 ? unread : edge;
        }
        free(o);
    }
    if (!good) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing strings"};
        return EXRAY_E_MEMORY;
    }
    if (!unread || kind == EXRAY_KIND_INPUT)
        return EXRAY_OK;
    error->status = EXRAY_E_STATE;
    snprintf(error->message, sizeof error->message,
             "the strings of the output %.80s are not in both logs: other ones would not be seen", unread);
    return EXRAY_E_STATE;
}

exray_status xr_string_outputs(const exray_comparison *comparison, exray_findings *findings,
                               exray_error *error)
{
    bool any;
    return compare_ports(comparison, EXRAY_KIND_OUTPUT, findings, &any, error);
}

exray_status xr_string_inputs(const exray_comparison *comparison, exray_findings *findings, bool *any,
                              exray_error *error)
{
    return compare_ports(comparison, EXRAY_KIND_INPUT, findings, any, error);
}
