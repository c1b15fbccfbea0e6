#include "cli/commands/info_inner.h"
#include "cli/text_out.h"

#include <stdlib.h>
#include <string.h>

/* An operator within another; op NULL: the outer one itself. */
typedef struct inner_op {
    const char *outer, *op;
} inner_op;

static const char *text(const char *may_be_null)
{
    return may_be_null ? may_be_null : "";
}

static int compare_entries(const void *a, const void *b)
{
    const inner_op *x = a, *y = b;
    int order = strcmp(x->outer, y->outer);
    if (order)
        return order;
    return x->op && y->op ? strcmp(x->op, y->op) : (x->op != NULL) - (y->op != NULL);
}

/* Sorted by outer operator, each followed by what is inside; NULL: there are none, or out of memory. */
static inner_op *list_entries(const exray_model *model, size_t *count)
{
    size_t room = 0, used = 0;
    for (uint32_t n = 0; n < model->node_count; n++)
        if (model->nodes[n].inner_count)
            room += (size_t)model->nodes[n].inner_count + 1;
    inner_op *entries = room ? malloc(room * sizeof *entries) : NULL;
    for (uint32_t n = 0; entries && n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        if (node->inner_count)
            entries[used++] = (inner_op){text(node->op), NULL};
        for (uint32_t i = 0; i < node->inner_count; i++)
            entries[used++] = (inner_op){text(node->op), text(node->inner[i].op)};
    }
    if (entries)
        qsort(entries, used, sizeof *entries, compare_entries);
    *count = used;
    return entries;
}

void xr_put_inner(const exray_model *model, int label_width)
{
    size_t count = 0;
    inner_op *entries = list_entries(model, &count);
    const char *label = "inside", *separator = "";
    for (size_t i = 0, equal; entries && i < count; i += equal) {
        for (equal = 1; i + equal < count && compare_entries(&entries[i], &entries[i + equal]) == 0; equal++)
            continue;
        if (entries[i].op) {
            printf("%s%zu ", separator, equal);
            xr_put_plain(stdout, entries[i].op);
            separator = ", ";
            continue;
        }
        printf("%s%-*s%zu ", i ? "\n" : "", label_width, label, equal);
        xr_put_plain(stdout, entries[i].outer);
        label = "";
        separator = ": ";
    }
    if (count)
        putchar('\n');
    free(entries);
}

static void add_tensors(cJSON *to, const char *key, const exray_model *model, const uint32_t *positions,
                        uint32_t count)
{
    cJSON *names = cJSON_AddArrayToObject(to, key);
    for (uint32_t i = 0; i < count; i++)
        cJSON_AddItemToArray(names, positions[i] < model->tensor_count
                                        ? cJSON_CreateString(text(model->tensors[positions[i]].name))
                                        : cJSON_CreateNull());
}

/* Depth is bounded by the log reader. */
static void add_nodes(cJSON *to, const exray_model *model, const exray_node *outer)
{
    cJSON *nodes = cJSON_AddArrayToObject(to, "nodes");
    for (uint32_t i = 0; i < outer->inner_count; i++) {
        const exray_node *node = &outer->inner[i];
        cJSON *object = cJSON_CreateObject();
        cJSON_AddItemToArray(nodes, object);
        cJSON_AddStringToObject(object, "op", text(node->op));
        cJSON_AddStringToObject(object, "name", text(node->name));
        add_tensors(object, "inputs", model, node->inputs, node->input_count);
        add_tensors(object, "outputs", model, node->outputs, node->output_count);
        if (node->inner_count)
            add_nodes(object, model, node);
    }
}

cJSON *xr_describe_inner(const exray_model *model)
{
    cJSON *all = cJSON_CreateArray();
    for (uint32_t n = 0; n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        if (!node->inner_count)
            continue;
        cJSON *object = cJSON_CreateObject();
        cJSON_AddItemToArray(all, object);
        cJSON_AddNumberToObject(object, "layer", n);
        cJSON_AddStringToObject(object, "op", text(node->op));
        cJSON_AddStringToObject(object, "name", text(node->name));
        add_nodes(object, model, node);
    }
    return all;
}
