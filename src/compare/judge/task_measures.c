#include "compare/judge/task_measures.h"

#include "base/error.h"
#include "compare/judge/outputs_told.h"

#include <exray/task.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 128 };

/* What is compared with what: the edge with the reference, and each side with the truth. */
enum { AGREE, EDGE_TRUTH, REFERENCE_TRUTH, WAYS };

/* What is measured over all frames: of results, of one of their vectors, or of an output by itself. */
typedef struct measured {
    const exray_task *task;
    bool of_vector;             /* of the vectors of that name */
    const xr_output_head *head; /* NULL: of results */
    char output[64];            /* "": of whole results */
    void *state[WAYS];
} measured;

enum { TASKS = 32, VECTORS = 16, MOST_MEASURED = TASKS + VECTORS + XR_OUTPUT_HEADS_MOST };

enum { TRUE_SLOT = 2, SCRATCH, SLOTS };

typedef struct task_judge {
    exray_comparison *comparison;
    exray_slot *slot[SLOTS]; /* of what was told, by exray_side; of the truth; scratch */
    exray_told *told[2];
    const char *task;         /* that the logs name, or "" */
    xr_output_set of_outputs; /* how outputs are read together where nothing was told */
    xr_output_head head[XR_OUTPUT_HEADS_MOST];
    size_t head_count, class_heads; /* those that are classifiers */
    measured item[MOST_MEASURED];
    size_t count, vectors;
    bool lacks_memory;
} task_judge;

/* The truth of either log. */
static bool read_truth(task_judge *j, size_t frame, exray_result *out)
{
    exray_error error;
    for (int s = 0; s < 2; s++)
        if (exray_log_read_told(j->comparison->log[s], j->comparison->frame[frame].frame[s],
                                EXRAY_MESSAGE_TRUTH, j->slot[TRUE_SLOT], out, &error) == EXRAY_OK)
            return true;
    return false;
}

/* What is known of a frame: what each side told, and what its outputs tell where one of the sides told
 * nothing. */
typedef struct frame_results {
    exray_result told[2], decided[2], truth;
    bool has_told[2], has_decided[2], has_truth;
} frame_results;

static void read_frame(task_judge *j, size_t frame, frame_results *r)
{
    exray_error error;
    const exray_comparison *c = j->comparison;
    for (int s = 0; s < 2; s++)
        r->has_told[s] = exray_log_read_told(c->log[s], c->frame[frame].frame[s], EXRAY_MESSAGE_RESULT,
                                             j->slot[s], &r->told[s], &error) == EXRAY_OK;
    for (int s = 0; s < 2; s++) {
        exray_told_clear(j->told[s]);
        r->has_decided[s] = !(r->has_told[0] && r->has_told[1]) &&
                            xr_outputs_decide(c, j->of_outputs, (exray_side)s, frame, j->slot[SCRATCH],
                                              j->told[s], &r->decided[s]);
    }
    r->has_truth = read_truth(j, frame, &r->truth);
}

/* A truth of nothing is one, too: all that was told is wrong. */
static bool is_empty(const exray_result *r)
{
    return r->class_count + r->box_count + r->keypoint_count + r->vector_count == 0 && !r->mask &&
           !(r->text && *r->text);
}

static measured *add_item(task_judge *j, const exray_task *task, const char *output)
{
    const exray_task_options options = EXRAY_TASK_OPTIONS_INIT;
    if (j->count == MOST_MEASURED)
        return NULL;
    measured *item = &j->item[j->count];
    *item = (measured){.task = task};
    snprintf(item->output, sizeof item->output, "%s", output ? output : "");
    for (int way = 0; way < WAYS; way++)
        if (!(item->state[way] = task->begin(&options)))
            j->lacks_memory = true;
    j->count++;
    return item;
}

/* ---- Results ---- */

static bool is_of_vectors(const exray_task *task)
{
    return strcmp(task->name, "embedding") == 0 || strcmp(task->name, "regression") == 0;
}

/* Several vectors have a name each: one broken one is not to be hidden by the others. */
static bool has_named_vectors(const exray_result *result)
{
    bool named = result->vector_count > 1;
    for (uint32_t i = 0; named && i < result->vector_count; i++)
        named = result->vectors[i].name && *result->vectors[i].name;
    return named;
}

static const exray_vector *vector_named(const exray_result *result, const char *name)
{
    for (uint32_t i = 0; i < result->vector_count; i++)
        if (result->vectors[i].name && strcmp(result->vectors[i].name, name) == 0)
            return &result->vectors[i];
    return NULL;
}

static bool share_a_name(const exray_result *a, const exray_result *b)
{
    bool found = false;
    for (uint32_t i = 0; i < a->vector_count && !found; i++)
        found = a->vectors[i].name && *a->vectors[i].name && vector_named(b, a->vectors[i].name);
    return found;
}

static exray_result only(const exray_vector *vector)
{
    return (exray_result){.text = "", .vectors = vector, .vector_count = vector ? 1 : 0};
}

static measured *item_of_vector(task_judge *j, const exray_vector *vector)
{
    for (size_t i = 0; i < j->count; i++)
        if (j->item[i].of_vector &&
            strncmp(j->item[i].output, vector->name, sizeof j->item[i].output - 1) == 0)
            return &j->item[i];
    if (j->vectors == VECTORS)
        return NULL;
    const exray_result result = only(vector);
    const exray_task *embedding = exray_task_named("embedding");
    measured *item =
        add_item(j, embedding->has(&result) ? embedding : exray_task_named("regression"), vector->name);
    if (item) {
        item->of_vector = true;
        j->vectors++;
    }
    return item;
}

/* What one of the three ways compares. */
static void compare(const task_judge *j, measured *item, int way, const exray_result *told,
                    const exray_result *other)
{
    if (!j->lacks_memory)
        item->task->compare(item->state[way], told, other);
}

/* A pair of results by the way they are compared; vectors with names each by itself. */
static void add_pair(task_judge *j, int way, const exray_result *told, const exray_result *other)
{
    const bool by_name = (has_named_vectors(told) || has_named_vectors(other)) && share_a_name(told, other);
    for (size_t t = 0; t < j->count; t++) {
        measured *item = &j->item[t];
        const exray_task *task = item->task;
        if (item->head || item->of_vector || (by_name && is_of_vectors(task)))
            continue;
        const bool counts =
            way == AGREE ? task->has(told) || task->has(other) : task->has(is_empty(other) ? told : other);
        if (counts)
            compare(j, item, way, told, other);
    }
    for (uint32_t i = 0; by_name && i < other->vector_count; i++) {
        const exray_vector *there = &other->vectors[i];
        const exray_vector *here = there->name && *there->name ? vector_named(told, there->name) : NULL;
        measured *item = here ? item_of_vector(j, here) : NULL;
        const exray_result one = only(here), two = only(there);
        if (item)
            compare(j, item, way, &one, &two);
    }
}

/* ---- Outputs by themselves ---- */

/* What is true of a head: the vector of its name; the class, where no other head has classes. */
static bool truth_of_head(const task_judge *j, const measured *item, const exray_result *truth, size_t frame,
                          exray_class *class, exray_result *out)
{
    if (is_of_vectors(item->task)) {
        const exray_vector *vector = truth ? vector_named(truth, item->head->name) : NULL;
        *out = only(vector);
        return vector != NULL;
    }
    if (j->class_heads != 1)
        return false;
    *out = (exray_result){.text = "", .classes = class, .class_count = 1};
    if (truth && truth->class_count) {
        out->classes = truth->classes;
        out->class_count = truth->class_count;
        return true;
    }
    for (int s = 0; s < 2; s++) {
        const exray_frame *f = exray_log_frame(j->comparison->log[s], j->comparison->frame[frame].frame[s]);
        if (f->has_label) {
            *class = (exray_class){.id = f->label};
            return true;
        }
    }
    return false;
}

static void add_heads(task_judge *j, size_t frame, const exray_result *truth)
{
    for (size_t t = 0; t < j->count; t++) {
        measured *item = &j->item[t];
        exray_result side[2], right;
        exray_class class;
        bool known[2];
        if (!item->head)
            continue;
        for (int s = 0; s < 2; s++) {
            exray_told_clear(j->told[s]);
            known[s] = xr_outputs_decide(j->comparison, item->head->set, (exray_side)s, frame,
                                         j->slot[SCRATCH], j->told[s], &side[s]);
        }
        if (known[0] && known[1])
            compare(j, item, AGREE, &side[0], &side[1]);
        const bool is_true = truth_of_head(j, item, truth, frame, &class, &right);
        for (int s = 0; s < 2; s++)
            if (known[s] && is_true)
                compare(j, item, EDGE_TRUTH + s, &side[s], &right);
    }
}

static bool has_place(const exray_result *r)
{
    return r->box_count || r->keypoint_count || r->mask;
}

/* Where one side told nothing, both are read from their outputs: what was told may be sorted out, and lie in
 * another part of the picture. */
static void add_frame(task_judge *j, size_t frame)
{
    frame_results r;
    exray_result side[2] = {{.text = ""}, {.text = ""}};
    read_frame(j, frame, &r);
    const exray_result *truth = r.has_truth ? &r.truth : NULL;
    const bool place_known = xr_outputs_place_known(j->comparison);
    const bool decides = r.has_decided[0] && r.has_decided[1];
    bool known[2];
    for (int s = 0; s < 2; s++) {
        known[s] = decides || r.has_told[s] || r.has_decided[s];
        if (known[s])
            side[s] = !decides && r.has_told[s] ? r.told[s] : r.decided[s];
    }
    const bool mixed = !decides && r.has_told[0] != r.has_told[1];
    const bool apart = mixed && !place_known && (has_place(&side[0]) || has_place(&side[1]));
    if (known[0] && known[1] && !apart)
        add_pair(j, AGREE, &side[0], &side[1]);
    for (int s = 0; s < 2 && truth; s++) {
        if (r.has_told[s])
            side[s] = r.told[s];
        if (known[s] && (r.has_told[s] || place_known || !has_place(&side[s])))
            add_pair(j, EDGE_TRUTH + s, &side[s], truth);
    }
    if (j->head_count)
        add_heads(j, frame, truth);
}

/* The entry of that name and group; a new one where there is none; NULL: there is no room. */
static exray_measure *entry_of(exray_comparison *c, size_t first, const measured *item,
                               const exray_task_measure *m)
{
    for (size_t i = first; i < c->measure_count; i++)
        if (strcmp(c->measure[i].name, m->name) == 0 && strcmp(c->measure[i].group, m->group) == 0)
            return &c->measure[i];
    if (c->measure_count == MOST)
        return NULL;
    exray_measure *made = &c->measure[c->measure_count++];
    *made = (exray_measure){.task = item->task->name,
                            .name = m->name,
                            .unit = m->unit,
                            .higher = m->higher,
                            .edge = NAN,
                            .reference = NAN,
                            .agreement = NAN};
    memcpy(made->group, m->group, sizeof made->group);
    memcpy(made->output, item->output, sizeof made->output);
    return made;
}

/* Of few classes each is among the first five. */
static bool says_nothing(const measured *item, const exray_task_measure *m)
{
    enum { FIVE = 5 };
    return item->head && item->head->elements <= FIVE && strcmp(m->name, "top5") == 0;
}

static void take_measures(exray_comparison *c, const measured *item)
{
    const size_t first = c->measure_count;
    exray_task_measure found[MOST];
    for (int way = 0; way < WAYS; way++) {
        const size_t count = item->task->measure(item->state[way], found, MOST);
        for (size_t i = 0; i < count; i++) {
            const bool counts = found[i].frames && !says_nothing(item, &found[i]);
            exray_measure *entry = counts ? entry_of(c, first, item, &found[i]) : NULL;
            if (!entry)
                continue;
            *(way == AGREE        ? &entry->agreement
              : way == EDGE_TRUTH ? &entry->edge
                                  : &entry->reference) = found[i].value;
            entry->frames = way == AGREE && entry->frames ? entry->frames : found[i].frames;
        }
    }
}

/* Results of every task are measured but classes, which are in c->accuracy; then the heads. */
static void list_items(task_judge *j)
{
    const exray_task *named = exray_task_named(j->task);
    if (named && strcmp(named->name, "classification") != 0)
        add_item(j, named, NULL); /* first: the others may read its results, too */
    for (size_t i = 0; exray_task_at(i) && i < TASKS; i++) {
        const exray_task *task = exray_task_at(i);
        /* Classes look alike in classification and multi_label: the log tells which they are. */
        if (task != named && strcmp(task->name, "classification") != 0 &&
            strcmp(task->name, "multi_label") != 0)
            add_item(j, task, NULL);
    }
    for (size_t i = 0; i < j->head_count; i++) {
        measured *item = add_item(j, j->head[i].set.task, j->head[i].name);
        if (item)
            item->head = &j->head[i];
        j->class_heads += !is_of_vectors(j->head[i].set.task);
    }
}

static bool begin(task_judge *j, exray_comparison *c)
{
    *j = (task_judge){.comparison = c, .task = xr_task_named_in(c)};
    bool good = true;
    for (int i = 0; i < SLOTS; i++)
        good = (j->slot[i] = exray_slot_new()) && good;
    for (int i = 0; i < 2; i++)
        good = (j->told[i] = exray_told_new()) && good;
    if (!good)
        return false;
    j->of_outputs = xr_outputs_set(c, j->slot[SCRATCH], j->told[0]);
    j->head_count = xr_outputs_heads(c, j->of_outputs, j->slot[SCRATCH], j->told[0], j->head);
    list_items(j);
    return !j->lacks_memory;
}

static void end(task_judge *j)
{
    for (int i = 0; i < SLOTS; i++)
        exray_slot_free(j->slot[i]);
    for (int i = 0; i < 2; i++)
        exray_told_free(j->told[i]);
    for (size_t i = 0; i < j->count; i++)
        for (int way = 0; way < WAYS; way++)
            j->item[i].task->end(j->item[i].state[way]);
    free(j);
}

exray_status xr_judge_tasks(exray_comparison *c, exray_error *error)
{
    task_judge *j = malloc(sizeof *j);
    c->measure = calloc(MOST, sizeof *c->measure);
    bool good = j && begin(j, c) && c->measure;
    for (size_t f = 0; good && f < c->frame_count; f++)
        add_frame(j, f);
    good = good && !j->lacks_memory;
    for (size_t i = 0; good && i < j->count; i++)
        take_measures(c, &j->item[i]);
    if (j)
        end(j);
    return good ? EXRAY_OK : xr_error_set(error, EXRAY_E_MEMORY, "out of memory while measuring results");
}
