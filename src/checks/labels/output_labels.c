/* output.labels: behind equal classes, names of another label file or in another order. */
#include "checks/builtin.h"
#include "checks/labels/names_between.h"
#include "checks/labels/string_ports.h"
#include "checks/output/box_labels.h"
#include "checks/output/labelling.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where names come from. */
typedef enum name_source { TOLD, ATTACHED, SOURCES } name_source;

typedef struct name_check {
    const exray_comparison *comparison;
    xr_class_names names[SOURCES][2]; /* by exray_side */
    int64_t told_difference; /* of the class numbers told, edge's - reference's; 0: the same numbers */
    int64_t file_difference; /* of the lines: label files with and without a background class */
} name_check;

/* class = output index - offset, as the log's writer said. */
static int64_t offset_of(const exray_comparison *comparison, exray_side side)
{
    const char *text = exray_log_metadata(exray_comparison_log(comparison, side), "label_offset");
    if (!text)
        return 0;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    return errno || *end || end == text || value > INT32_MAX || value < INT32_MIN ? 0 : value;
}

static exray_status begin(name_check *c, const exray_comparison *comparison, exray_findings *findings,
                          exray_error *error)
{
    *c = (name_check){.comparison = comparison};
    exray_status status = EXRAY_OK;
    for (int s = 0; s < 2 && status == EXRAY_OK; s++) {
        status = xr_class_names_told(comparison, (exray_side)s, &c->names[TOLD][s], error);
        if (status == EXRAY_OK)
            status = xr_class_names_attached(comparison, (exray_side)s, &c->names[ATTACHED][s], error);
    }
    /* Only where numbers go with names that are to be compared. */
    if (status == EXRAY_OK && c->names[TOLD][0].count && c->names[TOLD][1].count) {
        const xr_labelling *labels = xr_labelling_of(comparison, findings, error);
        if (!labels)
            return error->status;
        if (labels->state == XR_LABELS_SHIFTED)
            c->told_difference = labels->difference;
    }
    c->file_difference = offset_of(comparison, EXRAY_SIDE_REFERENCE) - offset_of(comparison, EXRAY_SIDE_EDGE);
    return status;
}

static void end(name_check *c)
{
    for (int i = 0; i < SOURCES; i++)
        for (int s = 0; s < 2; s++)
            xr_class_names_free(&c->names[i][s]);
}

/* One side alone in alphabetical order: files made from the names of folders, or sorted by somebody. */
static const char *sorted_side(const xr_names_between *b)
{
    if (b->by_alphabet[0] == b->by_alphabet[1])
        return NULL;
    return b->by_alphabet[EXRAY_SIDE_EDGE] ? "edge" : "reference";
}

static void say_how(exray_finding *f, const xr_names_between *b)
{
    const char *sorted = sorted_side(b);
    if (b->shifted) {
        exray_finding_detail(
            f, "The edge's name of class c is the reference's of class c %+lld: %s.", (long long)b->shift,
            b->shift > 0 ? "its label file lacks lines in front, such as a background class"
                         : "its label file has more lines in front, such as a background class");
        exray_finding_number(f, "difference", (double)b->shift);
    }
    if (sorted) {
        exray_finding_detail(
            f,
            "The %s's names are in alphabetical order, the other side's are not: its label file was sorted.",
            sorted);
        exray_finding_text(f, "sorted", sorted);
    } else if (!b->shifted && b->elsewhere)
        exray_finding_detail(f, "%zu of them are names that the reference has for another class.",
                             b->elsewhere);
    else if (!b->shifted)
        exray_finding_detail(f,
                             "None of them is a name that the reference has for another class: another label "
                             "file (or the same one in another language).");
}

static const char *where_from(name_source source)
{
    return source == TOLD ? "the names told with classes" : "the attached label files";
}

static void report(const xr_names_between *b, name_source source, exray_findings *findings)
{
    bool proven = b->shifted || b->elsewhere >= 2 || sorted_side(b);
    exray_finding *f =
        exray_findings_add(findings, "output.labels", EXRAY_SEVERITY_ERROR, proven ? 0.97 : 0.85);
    exray_finding_where(f, "result", NULL, EXRAY_NO_INDEX);
    const char *sorted = sorted_side(b);
    if (b->shifted)
        exray_finding_summary(f,
                              "The names of the edge's classes are from a label file moved by %lld line%s: "
                              "class %lld is \"%.60s\", in the reference \"%.60s\".",
                              llabs((long long)b->shift), llabs((long long)b->shift) == 1 ? "" : "s",
                              (long long)b->example_class, b->example[0], b->example[1]);
    else
        exray_finding_summary(f, "%s: class %lld is \"%.60s\" on the edge, \"%.60s\" in the reference.",
                              !sorted ? "The same classes have other names"
                              : strcmp(sorted, "edge") == 0
                                  ? "The edge's class names are sorted by alphabet, the reference's are not"
                                  : "The reference's class names are sorted by alphabet, the edge's are not",
                              (long long)b->example_class, b->example[0], b->example[1]);
    say_how(f, b);
    exray_finding_detail(f, "By %s: %zu of %zu classes that both sides name have another name.",
                         where_from(source), b->otherwise, b->classes);
    exray_finding_fix(f, "Give both sides the one label file that was made with the model, its lines in the "
                         "order of the model's outputs.");
    exray_finding_number(f, "classes", (double)b->classes);
    exray_finding_number(f, "otherwise", (double)b->otherwise);
    exray_finding_number(f, "elsewhere", (double)b->elsewhere);
}

/* The same of a detector's boxes, whose numbers are held against its own output of classes on each side. */
static exray_status find_box_difference(const exray_comparison *comparison, int64_t *difference,
                                        exray_error *error)
{
    xr_box_labels labels[2];
    for (int s = 0; s < 2; s++) {
        exray_status status = xr_box_labels_make(comparison, (exray_side)s, &labels[s], error);
        if (status != EXRAY_OK)
            return status;
    }
    if (labels[0].state == XR_BOX_LABELS_OFFSET && labels[1].state == XR_BOX_LABELS_OFFSET)
        *difference = labels[EXRAY_SIDE_REFERENCE].offset - labels[EXRAY_SIDE_EDGE].offset;
    return EXRAY_OK;
}

/* Whether names that differ by one way of counting differ by another one, too. */
static exray_status differ_by(const name_check *c, int64_t difference, bool *differ, exray_error *error)
{
    enum { FEWEST = 3 };
    xr_names_between between;
    if (!xr_names_between_make(&c->names[TOLD][EXRAY_SIDE_EDGE], &c->names[TOLD][EXRAY_SIDE_REFERENCE],
                               difference, &between)) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing the names of classes"};
        return EXRAY_E_MEMORY;
    }
    *differ = between.classes < FEWEST || xr_names_between_differ(&between);
    return EXRAY_OK;
}

/* One label file, read by numbers that differ, or right names beside such numbers: that these differ is told
 * (output.label_offset). */
static exray_status differ_otherwise(const name_check *c, bool *differ, exray_error *error)
{
    int64_t difference = 0;
    if (c->told_difference != 0)
        return differ_by(c, 0, differ, error);
    exray_status status = find_box_difference(c->comparison, &difference, error);
    return status == EXRAY_OK && difference != 0 ? differ_by(c, difference, differ, error) : status;
}

/* Compares one source of each side; true: it says something, agreement included. */
static exray_status compare(const name_check *c, name_source edge, name_source reference, bool *judged,
                            exray_findings *findings, exray_error *error)
{
    enum { FEWEST = 3 };
    const xr_class_names *e = &c->names[edge][EXRAY_SIDE_EDGE];
    const xr_class_names *r = &c->names[reference][EXRAY_SIDE_REFERENCE];
    int64_t difference = edge == TOLD && reference == TOLD ? c->told_difference : c->file_difference;
    xr_names_between between;
    if (!xr_names_between_make(e, r, difference, &between)) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing the names of classes"};
        return EXRAY_E_MEMORY;
    }
    bool differ = xr_names_between_differ(&between);
    exray_status status = EXRAY_OK;
    if (differ && edge == TOLD && reference == TOLD)
        status = differ_otherwise(c, &differ, error);
    if (status != EXRAY_OK)
        return status;
    *judged = differ || between.classes >= FEWEST;
    if (differ)
        report(&between, edge == TOLD ? TOLD : reference, findings);
    return EXRAY_OK;
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    name_check c;
    exray_status status = begin(&c, comparison, findings, error);
    /* What was told counts first: equal names are right whatever files lie beside them. */
    bool judged = false;
    static const name_source order[][2] = {
        {TOLD, TOLD}, {ATTACHED, ATTACHED}, {TOLD, ATTACHED}, {ATTACHED, TOLD}};
    for (size_t i = 0; status == EXRAY_OK && !judged && i < sizeof order / sizeof *order; i++)
        status = compare(&c, order[i][0], order[i][1], &judged, findings, error);
    end(&c);
    return status ? status : xr_string_outputs(comparison, findings, error);
}

static const char *const causes[] = {"output.labels", "output.postprocess", NULL};

const exray_assertion xr_assertion_output_labels = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "output.labels",
    .summary = "both sides give a class the same name",
    .causes = causes,
    .needs =
        "/result of both logs with names of classes, or a label file attached to each, or outputs of strings",
    .run = run,
};
