#include "checks/model/state/chosen.h"

#include "checks/port/both_sides.h"

#include <stdlib.h>
#include <string.h>

/* A place among fewer scores may be the largest one's by chance; more tokens than that are no choice of one
 * step. */
enum { FEWEST_SCORES = 8, FEWEST_FRAMES = 2, MOST_ROWS = 256, MOST_LENGTH = 1 << 16 };

/* What one side was given in the frame before. */
typedef struct given_before {
    float *value;
    uint64_t count;
} given_before;

/* The place of the largest of each of the last `rows` rows of scores, the first of those as large.  False:
 * there are fewer, or no row is asked for. */
static bool choose(const float *score, const exray_tensor_view *view, uint64_t rows, float *chosen)
{
    const uint64_t width = view->info.rank ? (uint64_t)view->info.shape[view->info.rank - 1] : 0;
    if (rows == 0 || width < FEWEST_SCORES || view->count / rows < width)
        return false;
    for (uint64_t r = 0; r < rows; r++) {
        const float *row = score + view->count - (rows - r) * width;
        uint64_t best = 0;
        for (uint64_t i = 1; i < width; i++)
            best = row[i] > row[best] ? i : best;
        chosen[r] = (float)best;
    }
    return true;
}

/* Whether ids are what was chosen, or what was given before and that behind it. */
static bool follows(const float *id, uint64_t count, const given_before *before, const float *score,
                    const exray_tensor_view *scores)
{
    float chosen[MOST_ROWS];
    if (count <= MOST_ROWS && choose(score, scores, count, chosen) &&
        memcmp(chosen, id, count * sizeof *id) == 0)
        return true;
    return count == before->count + 1 && memcmp(id, before->value, before->count * sizeof *id) == 0 &&
           choose(score, scores, 1, chosen) && chosen[0] == id[count - 1];
}

static bool keep(given_before *before, const float *value, uint64_t count)
{
    float *grown = realloc(before->value, (count + 1) * sizeof *grown);
    if (!grown)
        return false;
    before->value = grown;
    memcpy(grown, value, count * sizeof *grown);
    before->count = count;
    return true;
}

/* Whether the input follows from that output in all frames in which the sides' differ. */
static bool is_chosen_by(const exray_comparison *c, size_t input, size_t output, exray_slot *const slot[4],
                         size_t *first)
{
    given_before before[2] = {{0}};
    size_t differing = 0;
    bool ok = true;
    for (size_t f = 0; ok && f < exray_comparison_frame_count(c); f++) {
        exray_tensor_view id[2], score[2];
        const float *value[2], *scores[2];
        ok = xr_both_values(c, EXRAY_KIND_INPUT, input, f, slot, id, value) && id[0].count < MOST_LENGTH &&
             id[1].count < MOST_LENGTH;
        const bool same =
            ok && id[0].count == id[1].count && memcmp(value[0], value[1], id[0].count * sizeof **value) == 0;
        if (ok && !same) {
            if (!differing++)
                *first = f;
            ok = f > 0 && xr_both_values(c, EXRAY_KIND_OUTPUT, output, f - 1, slot + 2, score, scores);
            for (int s = 0; s < 2 && ok; s++)
                ok = follows(value[s], id[s].count, &before[s], scores[s], &score[s]);
        }
        for (int s = 0; s < 2 && ok; s++)
            ok = keep(&before[s], value[s], id[s].count);
    }
    free(before[0].value);
    free(before[1].value);
    return ok && differing >= FEWEST_FRAMES;
}

static bool is_of_scores(const exray_io_pair *output)
{
    return output->comparable || output->other_shape;
}

bool xr_is_chosen(const exray_comparison *comparison, size_t input, size_t *output, size_t *first)
{
    exray_slot *slot[4];
    bool found = true;
    for (int i = 0; i < 4; i++) {
        slot[i] = exray_slot_new();
        found = found && slot[i];
    }
    const size_t outputs = found ? exray_comparison_output_count(comparison) : 0;
    found = false;
    for (*output = 0; !found && *output < outputs; *output += !found)
        found = is_of_scores(exray_comparison_output(comparison, *output)) &&
                is_chosen_by(comparison, input, *output, slot, first);
    for (int i = 0; i < 4; i++)
        exray_slot_free(slot[i]);
    return found;
}
