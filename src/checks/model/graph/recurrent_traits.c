/* What ONNX's recurrent operators are told, as numbers and words, their defaults included. */
#include "checks/model/graph/recurrent_traits.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LENGTHS = 4, FIRST_STATE = 5, FIRST_CELL = 6 };

/* Where it is left out: of every direction the same. */
static const char *default_activations(const char *word, bool both)
{
    if (strcmp(word, "lstm") == 0)
        return both ? "Sigmoid,Tanh,Tanh,Sigmoid,Tanh,Tanh" : "Sigmoid,Tanh,Tanh";
    if (strcmp(word, "gru") == 0)
        return both ? "Sigmoid,Tanh,Sigmoid,Tanh" : "Sigmoid,Tanh";
    return both ? "Tanh,Tanh" : "Tanh";
}

static uint32_t input_of(const exray_node *node, uint32_t place)
{
    return place < node->input_count ? node->inputs[place] : EXRAY_NO_INDEX;
}

/* The root mean square of a state that the model begins with: 0 where none is given; NAN: it is no constant.
 */
static double first_state(xr_step_graph *g, const exray_node *node, uint32_t place)
{
    uint32_t tensor = input_of(node, place);
    if (tensor == EXRAY_NO_INDEX)
        return 0;
    if (tensor >= g->model->tensor_count || !g->model->tensors[tensor].constant)
        return NAN;
    xr_constant_print print = xr_model_constants_print(&g->constants, tensor);
    return print.known ? hypot(print.mean, print.deviation) : NAN;
}

void xr_recurrent_traits(xr_step_graph *g, const xr_op_step *step, xr_traits *t)
{
    const exray_node *node = step->node;
    bool lstm = strcmp(step->word, "lstm") == 0, gru = strcmp(step->word, "gru") == 0;
    if (!xr_is_recurrent_word(step->word) || !g->model->engine || !strstr(g->model->engine, "onnx"))
        return;
    const char *direction = exray_node_attribute(node, "direction");
    const char *activations = exray_node_attribute(node, "activations");
    bool both = direction && strcmp(direction, "bidirectional") == 0;
    xr_traits_add_text(t, "direction", direction ? direction : "forward");
    xr_traits_add_text(t, "activations",
                       activations && *activations ? activations : default_activations(step->word, both));
    xr_traits_add_number(t, "clip", xr_attribute_number(node, "clip", 0));
    if (gru)
        xr_traits_add_number(t, "linear_before_reset", xr_attribute_number(node, "linear_before_reset", 0));
    if (lstm)
        xr_traits_add_number(t, "input_forget", xr_attribute_number(node, "input_forget", 0));
    xr_traits_add_text(t, "sequence_lens", input_of(node, LENGTHS) == EXRAY_NO_INDEX ? "not given" : "given");
    xr_traits_add_number(t, "initial_h", first_state(g, node, FIRST_STATE));
    if (lstm)
        xr_traits_add_number(t, "initial_c", first_state(g, node, FIRST_CELL));
}
