#include "checks/model/graph/between/step_branches.h"

#include <stdlib.h>

/* [tensors] the step that alone reads each, or EXRAY_NO_INDEX; NULL: out of memory. */
static uint32_t *readers_of(const xr_step_graph *g)
{
    uint32_t *reader = malloc(((size_t)g->tensor_count + 1) * sizeof *reader);
    for (uint32_t t = 0; reader && t < g->tensor_count; t++)
        reader[t] = EXRAY_NO_INDEX;
    for (uint32_t i = 0; reader && i < g->count; i++)
        for (uint32_t k = 0; k < g->step[i].input_count; k++)
            if (g->tensor[g->step[i].input[k]].readers == 1)
                reader[g->step[i].input[k]] = i;
    return reader;
}

/* The function behind a step, another shape and a bias between; or EXRAY_NO_INDEX. */
static uint32_t function_behind(const xr_step_graph *g, const uint32_t *reader, uint32_t at)
{
    enum { FURTHEST = 4 };
    for (int i = 0; i < FURTHEST; i++) {
        const uint32_t next = reader[g->step[at].output];
        if (next == EXRAY_NO_INDEX || g->step[next].input_count != 1)
            return EXRAY_NO_INDEX;
        if (g->step[next].kind == XR_STEP_FUNCTION)
            return g->step[next].value ? next : EXRAY_NO_INDEX;
        if (!xr_step_moves_alone(&g->step[next]) && g->step[next].kind != XR_STEP_COMBINE)
            return EXRAY_NO_INDEX;
        at = next;
    }
    return EXRAY_NO_INDEX;
}

/* A step, its mate, and the functions behind both. */
typedef struct branch {
    uint32_t step[2], function[2];
} branch;

static bool same_function(const xr_step_layers *by, const branch *edge, const branch *reference)
{
    const xr_op_step *a = &by->side[0].step[edge->function[0]],
                     *b = &by->side[1].step[reference->function[1]];
    return xr_same_function(a->value, b->value, a->slack, b->slack);
}

static bool have_one_input(const xr_step_layers *by, const branch *a, const branch *b)
{
    for (int s = 0; s < 2; s++) {
        const xr_step_graph *g = &by->side[s];
        const xr_op_step *x = &g->step[a->step[s]], *y = &g->step[b->step[s]];
        if (x->input_count != 1 || y->input_count != 1 ||
            g->tensor[x->input[0]].same_as != g->tensor[y->input[0]].same_as)
            return false;
    }
    return true;
}

static double score(const xr_step_layers *by, const branch *edge, const branch *reference)
{
    return by->score(by->comparison, by->user, edge->step[0], reference->step[1]);
}

static bool are_crossed(const xr_step_layers *by, const branch *a, const branch *b)
{
    const double cross[2] = {score(by, a, b), score(by, b, a)};
    return have_one_input(by, a, b) && same_function(by, a, b) && same_function(by, b, a) && cross[0] > 0 &&
           cross[1] > 0 && cross[0] + cross[1] >= score(by, a, a) + score(by, b, b);
}

/* Lists those whose mates have another function behind them, and makes equal functions behind mates mates,
 * too. Returns how many there are. */
static uint32_t list_branches(const xr_step_layers *by, uint32_t *const reader[2], branch *list)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < by->side[0].count; i++) {
        branch b = {.step = {i, by->mate[0][i]}};
        if (b.step[1] == EXRAY_NO_INDEX || by->side[0].step[i].constant_count == 0 ||
            by->side[0].step[i].kind == XR_STEP_FUNCTION)
            continue;
        bool known = true;
        for (int s = 0; s < 2; s++) {
            b.function[s] = function_behind(&by->side[s], reader[s], b.step[s]);
            known = known && b.function[s] != EXRAY_NO_INDEX;
        }
        if (known && !same_function(by, &b, &b))
            list[count++] = b;
        else if (known && by->mate[0][b.function[0]] != b.function[1])
            xr_step_make_mates(by->mate, b.function[0], b.function[1]);
    }
    return count;
}

/* Whether two mates read what the steps of a branch do. */
static bool is_read_by_mates(const xr_step_layers *by, const branch *b)
{
    for (uint32_t i = 0; i < by->side[0].count; i++) {
        const branch other = {.step = {i, by->mate[0][i]}};
        if (other.step[1] != EXRAY_NO_INDEX && have_one_input(by, b, &other))
            return true;
    }
    return false;
}

/* Joins steps that have no mates, beside others of one input, where the functions behind are the same. */
static void join_alone(const xr_step_layers *by, uint32_t *const reader[2])
{
    for (uint32_t i = 0; i < by->side[0].count; i++) {
        branch b = {.step = {i, 0}};
        if (by->mate[0][i] != EXRAY_NO_INDEX || by->side[0].step[i].kind == XR_STEP_FUNCTION ||
            by->side[0].step[i].constant_count == 0)
            continue;
        b.function[0] = function_behind(&by->side[0], reader[0], i);
        for (uint32_t k = 0; k < by->side[1].count && b.function[0] != EXRAY_NO_INDEX; k++) {
            if (by->mate[1][k] != EXRAY_NO_INDEX || by->side[1].step[k].kind != by->side[0].step[i].kind)
                continue;
            b.step[1] = k;
            b.function[1] = function_behind(&by->side[1], reader[1], k);
            if (b.function[1] == EXRAY_NO_INDEX || !same_function(by, &b, &b) || !(score(by, &b, &b) > 0) ||
                !is_read_by_mates(by, &b))
                continue;
            xr_step_make_mates(by->mate, i, k);
            xr_step_make_mates(by->mate, b.function[0], b.function[1]);
            break;
        }
    }
}

bool xr_step_branches_settle(const xr_step_layers *by)
{
    enum { MOST_APART = 64 }; /* of a list of those that differ */
    uint32_t *reader[2] = {readers_of(&by->side[0]), readers_of(&by->side[1])};
    branch *list = calloc((size_t)by->side[0].count + 1, sizeof *list);
    const bool ok = reader[0] && reader[1] && list;
    const uint32_t count = ok ? list_branches(by, reader, list) : 0;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = i + 1; k < count && k < i + MOST_APART; k++) {
            if (!are_crossed(by, &list[i], &list[k]))
                continue;
            const branch a = list[i], b = list[k];
            xr_step_make_mates(by->mate, a.step[0], b.step[1]);
            xr_step_make_mates(by->mate, b.step[0], a.step[1]);
            xr_step_make_mates(by->mate, a.function[0], b.function[1]);
            xr_step_make_mates(by->mate, b.function[0], a.function[1]);
            for (int j = 0; j < 2; j++) { /* they are not looked at again */
                branch *one = j ? &list[k] : &list[i];
                one->step[1] = j ? a.step[1] : b.step[1];
                one->function[1] = j ? a.function[1] : b.function[1];
            }
            break;
        }
    if (ok)
        join_alone(by, reader);
    free(reader[0]);
    free(reader[1]);
    free(list);
    return ok;
}
