/* Inputs and outputs are paired so that the evidence for all pairs together is the largest: what they feed
 * or are made by in the graphs, their names, shapes and types, their values, and least of all their place.
 *
 * A port is what the model takes it for.  So graph and names outweigh values: where these are another
 * port's, the ports are paired all the same, and input.order (output.order) tells that they were exchanged.
 * Two things limit that.  A name that only counts ("StatefulPartitionedCall:0") is a place, and converters
 * list ports as they like: values outweigh it.  And the outputs tell whether names or values were exchanged:
 * where all are equal, the inputs were given rightly, whatever their names are.  In two runs of one file a
 * name is the tensor, and nothing outweighs it. */
#include "compare/match/match_ports.h"

#include "compare/match/assignment.h"
#include "compare/match/port_names.h"
#include "compare/match/port_roles.h"
#include "compare/match/port_values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What each piece of evidence is worth.  Equal values are worth 2, correlated ones up to 1. */
#define SAME_TENSOR 100.0
#define SAME_ROLE   4.5
#define SAME_NAME   4.0
#define ALIKE_NAME  3.5
#define SAME_SHAPE  1.0
#define SAME_TYPE   0.2
#define SAME_PLACE  0.01
#define EQUAL       2.0
/* Of names and roles, where the outputs are equal whatever was given to which input. */
#define OVERRULED 0.25
/* Of a name that only counts: usually; where the outputs differ, so that inputs may be exchanged. */
#define NUMBERED         1.0
#define NUMBERED_SUSPECT 3.0

enum { MOST_PAIRED = 256 }; /* more ports than this are paired by name and place alone */

/* ---- The ports of a log ---------------------------------------------------------- */

typedef struct log_port {
    const char *name;
    uint32_t tensor;
    xr_port_values *values; /* NULL: there are too many ports to read */
} log_port;

typedef struct port_list {
    log_port *port;
    size_t count;
} port_list;

static bool push(port_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->port[i].name, name) == 0)
            return true;
    log_port *grown = realloc(list->port, (list->count + 1) * sizeof *grown);
    if (!grown)
        return false;
    list->port = grown;
    list->port[list->count++] = (log_port){name, EXRAY_NO_INDEX, NULL};
    return true;
}

/* The position in the model's list of inputs or outputs of a topic's NAME. */
static uint32_t place_of(const exray_model *model, exray_kind kind, const char *name)
{
    const uint32_t *tensors = kind == EXRAY_KIND_INPUT ? model->inputs : model->outputs;
    uint32_t count = kind == EXRAY_KIND_INPUT ? model->input_count : model->output_count;
    for (uint32_t i = 0; i < count; i++) {
        const char *own = tensors[i] < model->tensor_count ? model->tensors[tensors[i]].name : NULL;
        if (own && *own && strcmp(own, name) == 0)
            return i;
    }
    char *end;
    unsigned long position = strtoul(name, &end, 10);
    return *name && !*end && position < count ? (uint32_t)position : EXRAY_NO_INDEX;
}

/* Strings are no numbers: nothing here reads them (checks/labels/string_ports.h does). */
static void leave_out_strings(const exray_model *model, port_list *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        const uint32_t tensor = list->port[i].tensor;
        if (tensor >= model->tensor_count || model->tensors[tensor].dtype != EXRAY_DTYPE_STRING)
            list->port[kept++] = list->port[i];
    }
    list->count = kept;
}

/* In the order of the model where it is known, else of the records. */
static bool collect(const exray_comparison *c, exray_side side, exray_kind kind, port_list *list)
{
    enum { LOOK_AT = 8 }; /* frames: the first may have been filtered */
    for (size_t f = 0; f < c->frame_count && f < LOOK_AT; f++) {
        size_t position = c->frame[f].frame[side];
        const exray_record *record = exray_log_records(c->log[side], position);
        size_t count = exray_log_frame(c->log[side], position)->record_count;
        for (size_t i = 0; i < count; i++)
            if (record[i].message == EXRAY_MESSAGE_TENSOR && record[i].kind == kind &&
                !push(list, record[i].name))
                return false;
    }
    const exray_model *model = exray_log_model(c->log[side]);
    if (!model)
        return true;
    const uint32_t *tensors = kind == EXRAY_KIND_INPUT ? model->inputs : model->outputs;
    size_t sorted = 0;
    uint32_t total = kind == EXRAY_KIND_INPUT ? model->input_count : model->output_count;
    for (uint32_t want = 0; want < total; want++)
        for (size_t i = sorted; i < list->count; i++) {
            if (place_of(model, kind, list->port[i].name) != want)
                continue;
            log_port found = list->port[i];
            found.tensor = tensors[want];
            memmove(&list->port[sorted + 1], &list->port[sorted], (i - sorted) * sizeof found);
            list->port[sorted++] = found;
            break;
        }
    leave_out_strings(model, list);
    return true;
}

static bool read_values(const exray_comparison *c, exray_kind kind, port_list list[2])
{
    for (int s = 0; s < 2; s++)
        for (size_t i = 0; i < list[s].count; i++) {
            log_port *p = &list[s].port[i];
            p->values = xr_port_values_read(c, (exray_side)s, kind, p->name);
            if (!p->values)
                return false;
        }
    return true;
}

static void free_lists(port_list list[2])
{
    for (int s = 0; s < 2; s++) {
        for (size_t i = 0; i < list[s].count; i++)
            xr_port_values_free(list[s].port[i].values);
        free(list[s].port);
    }
}

/* ---- Evidence --------------------------------------------------------------------- */

/* What the outputs say about the inputs. */
typedef enum told { TOLD_NOTHING, TOLD_EQUAL, TOLD_OTHERS } told;

typedef struct evidence {
    const exray_comparison *comparison;
    exray_kind kind;
    const port_list *list; /* [2] */
    bool same_file;
    told outputs;
    size_t *role; /* [edge ports] */
} evidence;

static bool is_same_file(const exray_comparison *c)
{
    const exray_model *a = exray_log_model(c->log[0]), *b = exray_log_model(c->log[1]);
    return a && b && a->sha256 && b->sha256 && memcmp(a->sha256, b->sha256, 32) == 0;
}

static double worth_of_name(const evidence *e, const log_port *a, const log_port *b)
{
    double share = e->outputs == TOLD_EQUAL ? OVERRULED : 1;
    switch (xr_match_names(a->name, b->name)) {
    case XR_NAMES_SAME:
        return e->same_file ? SAME_TENSOR : share * SAME_NAME;
    case XR_NAMES_ALIKE:
        return share * ALIKE_NAME;
    case XR_NAMES_NUMBERED:
        return e->same_file ? SAME_TENSOR : e->outputs == TOLD_OTHERS ? NUMBERED_SUSPECT : share * NUMBERED;
    case XR_NAMES_DIFFER:
        break;
    }
    return 0;
}

static double worth_of_values(const log_port *a, const log_port *b)
{
    xr_port_likeness alike =
        a->values && b->values ? xr_ports_alike(a->values, b->values) : (xr_port_likeness){0};
    const exray_tensor_info *x = a->values ? xr_port_info(a->values) : NULL;
    const exray_tensor_info *y = b->values ? xr_port_info(b->values) : NULL;
    double worth = (alike.fits ? SAME_SHAPE : 0) + (x && y && x->dtype == y->dtype ? SAME_TYPE : 0);
    if (alike.known)
        worth += fmax(fmax(EQUAL * (1 - 5 * alike.error), alike.correlation), 0);
    return worth;
}

static double worth_of(const evidence *e, size_t i, size_t j)
{
    const log_port *a = &e->list[0].port[i], *b = &e->list[1].port[j];
    double worth = worth_of_name(e, a, b) + worth_of_values(a, b) + (i == j ? SAME_PLACE : 0);
    if (e->role[i] == j)
        worth += e->outputs == TOLD_EQUAL ? OVERRULED * SAME_ROLE : SAME_ROLE;
    return worth;
}

/* ---- Pairs -------------------------------------------------------------------------- */

static bool find_roles(const evidence *e)
{
    const exray_model *model[2] = {exray_log_model(e->comparison->log[0]),
                                   exray_log_model(e->comparison->log[1])};
    uint32_t *tensor[2] = {NULL, NULL};
    size_t count[2] = {e->list[0].count, e->list[1].count};
    bool ok = true;
    for (int s = 0; s < 2; s++) {
        tensor[s] = calloc(count[s] + 1, sizeof *tensor[s]);
        ok = ok && tensor[s];
        for (size_t i = 0; ok && i < count[s]; i++)
            tensor[s][i] = e->list[s].port[i].tensor;
    }
    const uint32_t *const tensors[2] = {tensor[0], tensor[1]};
    ok = ok && xr_match_roles(model, e->kind, tensors, count, e->role);
    free(tensor[0]);
    free(tensor[1]);
    return ok;
}

static bool pair_ports(evidence *e, xr_pairs *out)
{
    size_t n = e->list[0].count, m = e->list[1].count;
    out->pair = calloc((n < m ? n : m) + 1, sizeof *out->pair);
    e->role = calloc(n + 1, sizeof *e->role);
    double *worth = calloc(n * m + 1, sizeof *worth);
    size_t *partner = calloc(n + 1, sizeof *partner);
    bool ok = out->pair && e->role && worth && partner && find_roles(e);
    for (size_t i = 0; ok && i < n; i++)
        for (size_t j = 0; j < m; j++)
            worth[i * m + j] = worth_of(e, i, j);
    ok = ok && xr_assign(worth, n, m, partner);
    for (size_t i = 0; ok && i < n; i++) {
        if (partner[i] == SIZE_MAX)
            continue;
        const log_port *a = &e->list[0].port[i], *b = &e->list[1].port[partner[i]];
        out->pair[out->count++] = (xr_pair){.kind = e->kind,
                                            .name = {a->name, b->name},
                                            .tensor = {a->tensor, b->tensor},
                                            .moments = xr_moments_zero()};
    }
    free(e->role);
    free(worth);
    free(partner);
    return ok;
}

/* Whether all outputs are equal, or some surely are not. */
static told compare_outputs(const exray_comparison *c, const port_list list[2])
{
    /* What rounding to 8 bits and other kernels leave; and more than that. */
    const double equal = 0.02, other = 0.3;
    told all = c->outputs.count ? TOLD_EQUAL : TOLD_NOTHING;
    for (size_t p = 0; p < c->outputs.count; p++) {
        const xr_port_values *values[2] = {NULL, NULL};
        for (int s = 0; s < 2; s++)
            for (size_t i = 0; i < list[s].count; i++)
                if (list[s].port[i].name == c->outputs.pair[p].name[s])
                    values[s] = list[s].port[i].values;
        xr_port_likeness alike =
            values[0] && values[1] ? xr_ports_alike(values[0], values[1]) : (xr_port_likeness){0};
        if (alike.known && alike.error > other)
            return TOLD_OTHERS;
        if (!alike.known || alike.error > equal)
            all = TOLD_NOTHING;
    }
    return all;
}

static bool match(const exray_comparison *c, exray_kind kind, port_list list[2], told outputs, xr_pairs *out)
{
    bool ok = collect(c, EXRAY_SIDE_EDGE, kind, &list[0]) && collect(c, EXRAY_SIDE_REFERENCE, kind, &list[1]);
    bool few = list[0].count <= MOST_PAIRED && list[1].count <= MOST_PAIRED;
    /* One input is the other side's one, whatever it holds. */
    bool open = list[0].count > 1 || list[1].count > 1 || kind == EXRAY_KIND_OUTPUT;
    if (ok && few && open)
        ok = read_values(c, kind, list);
    evidence e = {
        .comparison = c, .kind = kind, .list = list, .same_file = is_same_file(c), .outputs = outputs};
    return ok && pair_ports(&e, out);
}

bool xr_match_ports(exray_comparison *c)
{
    port_list outputs[2] = {{0}}, inputs[2] = {{0}};
    bool ok = match(c, EXRAY_KIND_OUTPUT, outputs, TOLD_NOTHING, &c->outputs) &&
              match(c, EXRAY_KIND_INPUT, inputs, compare_outputs(c, outputs), &c->inputs);
    free_lists(outputs);
    free_lists(inputs);
    return ok;
}
