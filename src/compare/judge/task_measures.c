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

typedef struct task_judge {
    exray_comparison *comparison;
    exray_slot *slot[3];
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
                                EXRAY_MESSAGE_TRUTH, j->slot[2], out, &error) == EXRAY_OK)
            return true;
    return false;
}

/* What a side told; else what its outputs tell. */
static bool read_side(task_judge *j, int s, size_t frame, exray_result *out)
{
    exray_error error;
    const exray_comparison *c = j->comparison;
    if (exray_log_read_told(c->log[s], c->frame[frame].frame[s], EXRAY_MESSAGE_RESULT, j->slot[s], out,
                            &error) == EXRAY_OK)
        return true;
    exray_told_clear(j->told[s]);
    return xr_outputs_decide(c, j->of_outputs, (exray_side)s, frame, j->slot[s], j->told[s], out);
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

static void add_vectors(task_judge *j, const exray_result side[2], const bool known[2],
                        const exray_result *truth)
{
    const exray_result *all = known[1] ? &side[1] : &side[0];
    for (uint32_t i = 0; i < all->vector_count; i++) {
        const char *name = all->vectors[i].name;
        measured *item = item_of_vector(j, &all->vectors[i]);
        if (!item)
            continue;
        const exray_vector *told[2] = {known[0] ? vector_named(&side[0], name) : NULL,
                                       known[1] ? vector_named(&side[1], name) : NULL};
        const exray_vector *right = truth ? vector_named(truth, name) : NULL;
        const exray_result one[2] = {only(told[0]), only(told[1])}, third = only(right);
        if (told[0] && told[1])
            compare(j, item, AGREE, &one[0], &one[1]);
        for (int s = 0; s < 2; s++)
            if (told[s] && right)
                compare(j, item, EDGE_TRUTH + s, &one[s], &third);
    }
}

static void add_results(task_judge *j, const exray_result side[2], const bool known[2],
                        const exray_result *truth)
{
    const bool by_name =
        (known[0] && has_named_vectors(&side[0])) || (known[1] && has_named_vectors(&side[1]));
    for (size_t t = 0; t < j->count; t++) {
        measured *item = &j->item[t];
        const exray_task *task = item->task;
        if (item->head || item->of_vector || (by_name && is_of_vectors(task)))
            continue;
        if (known[0] && known[1] && (task->has(&side[0]) || task->has(&side[1])))
            compare(j, item, AGREE, &side[0], &side[1]);
        for (int s = 0; s < 2; s++)
            if (known[s] && truth && task->has(is_empty(truth) ? &side[s] : truth))
                compare(j, item, EDGE_TRUTH + s, &side[s], truth);
    }
    if (by_name)
        add_vectors(j, side, known, truth);
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
            known[s] = xr_outputs_decide(j->comparison, item->head->set, (exray_side)s, frame, j->slot[s],
                                         j->told[s], &side[s]);
        }
        if (known[0] && known[1])
            compare(j, item, AGREE, &side[0], &side[1]);
        const bool is_true = truth_of_head(j, item, truth, frame, &class, &right);
        for (int s = 0; s < 2; s++)
            if (known[s] && is_true)
                compare(j, item, EDGE_TRUTH + s, &side[s], &right);
    }
}

static void add_frame(task_judge *j, size_t frame)
{
    exray_result side[2], truth;
    const bool known[2] = {read_side(j, 0, frame, &side[0]), read_side(j, 1, frame, &side[1])};
    const bool is_true = read_truth(j, frame, &truth);
    add_results(j, side, known, is_true ? &truth : NULL);
    if (j->head_count)
        add_heads(j, frame, is_true ? &truth : NULL);
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
    for (size_t i = 0; exray_task_at(i) && i < TASKS; i++) {
        const exray_task *task = exray_task_at(i);
        /* Classes look alike in both; the log tells which they are. */
        if (strcmp(task->name, "classification") != 0 &&
            (strcmp(task->name, "multi_label") != 0 || strcmp(j->task, "multi_label") == 0))
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
    for (int i = 0; i < 3; i++)
        j->slot[i] = exray_slot_new();
    for (int i = 0; i < 2; i++)
        j->told[i] = exray_told_new();
    if (!j->slot[0] || !j->slot[1] || !j->slot[2] || !j->told[0] || !j->told[1])
        return false;
    j->of_outputs = xr_outputs_set(c, j->slot[0], j->told[0]);
    j->head_count = xr_outputs_heads(c, j->of_outputs, j->slot[0], j->told[0], j->head);
    list_items(j);
    return !j->lacks_memory;
}

static void end(task_judge *j)
{
    for (int i = 0; i < 3; i++)
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
