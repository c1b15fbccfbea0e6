#include "checks/input/tokens/token_texts.h"

#include "checks/input/tokens/token_open.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is read at most: ids on both sides. */
enum { MOST_IDS = 1 << 20, MOST_VALUES = 64 };

/* Ids beyond this are none. */
#define HIGHEST_ID 9e15

/* ---- Which inputs hold ids --------------------------------------------------------------------- */

static bool is_whole_type(const exray_tensor_info *info)
{
    switch (info->dtype) {
    case EXRAY_DTYPE_UINT8:
    case EXRAY_DTYPE_INT8:
    case EXRAY_DTYPE_INT16:
    case EXRAY_DTYPE_UINT16:
    case EXRAY_DTYPE_INT32:
    case EXRAY_DTYPE_UINT32:
    case EXRAY_DTYPE_INT64:
    case EXRAY_DTYPE_UINT64:
    case EXRAY_DTYPE_BOOL:
        return info->quantization.count == 0;
    default:
        return false;
    }
}

static bool is_float_type(const exray_tensor_info *info)
{
    return info->dtype == EXRAY_DTYPE_FLOAT32 || info->dtype == EXRAY_DTYPE_FLOAT64 ||
           info->dtype == EXRAY_DTYPE_FLOAT16;
}

/* A row of ids a text: all dimensions but the last count texts. */
static size_t places_of(const exray_tensor_view *view)
{
    int64_t last = view->info.rank ? view->info.shape[view->info.rank - 1] : 0;
    if (last > 1 && view->count % (uint64_t)last == 0 && view->info.rank <= 2)
        return (size_t)last;
    /* [N, 1], [1, N, 1]: one text. */
    return view->count > 1 && (last == 1 || view->info.rank <= 1) && view->info.rank <= 3
               ? (size_t)view->count
               : 0;
}

/* Whether the graph takes the input for indices: numbers of type float are ids where it does. */
static bool is_looked_up(const exray_comparison *comparison, const exray_io_pair *io)
{
    static const char *const lookups[] = {"cast", "gather", "gathernd", "embeddinglookup", "onehot"};
    for (int side = 0; side < 2; side++) {
        const exray_model *m = exray_log_model(exray_comparison_log(comparison, (exray_side)side));
        for (uint32_t n = 0; m && n < m->node_count; n++)
            for (uint32_t i = 0; i < m->nodes[n].input_count; i++) {
                uint32_t t = m->nodes[n].inputs[i];
                char op[48];
                if (t >= m->tensor_count || !m->tensors[t].name ||
                    strcmp(m->tensors[t].name, io->name[side]) != 0)
                    continue;
                exray_node_plain_op(m->nodes[n].op, op, sizeof op);
                for (size_t k = 0; k < sizeof lookups / sizeof *lookups; k++)
                    if (strcmp(op, lookups[k]) == 0)
                        return true;
            }
    }
    return false;
}

/* ---- Reading ------------------------------------------------------------------------------------- */

#define TAKE(type)                                                                                           \
    {                                                                                                        \
        type v;                                                                                              \
        memcpy(&v, (const char *)view->data + i * sizeof v, sizeof v);                                       \
        return (int64_t)v;                                                                                   \
    }

/* Data are little-endian, and so is every machine that this runs on but the rarest: values of more than four
 * bytes are exact there. */
static int64_t whole_at(const exray_tensor_view *view, const float *values, uint64_t i)
{
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    if (first && view->data && view->info.dtype == EXRAY_DTYPE_INT64 && view->size >= 8 * view->count)
        TAKE(int64_t)
    if (first && view->data && view->info.dtype == EXRAY_DTYPE_INT32 && view->size >= 4 * view->count)
        TAKE(int32_t)
    return isfinite(values[i]) && fabs((double)values[i]) < HIGHEST_ID ? (int64_t)values[i] : 0;
}

typedef struct reader {
    const exray_comparison *comparison;
    const exray_io_pair *io;
    size_t pair;
    xr_token_texts *out;
    size_t used, room, text_room;
    size_t open; /* places of all rows, which differ in length; 0: they do not */
} reader;

static bool is_whole_view(const exray_tensor_view *view, const float *values)
{
    if (is_whole_type(&view->info))
        return true;
    for (uint64_t i = 0; i < view->count; i++)
        if (!(values[i] == floorf(values[i]) && fabsf(values[i]) < 1e7f))
            return false;
    return is_float_type(&view->info);
}

/* Room for `more` ids; grows by doubling, pointers into it are set at the end. */
static bool make_room(reader *r, size_t more)
{
    if (r->used + more <= r->room)
        return true;
    size_t room = r->room ? 2 * r->room : 1024;
    while (room < r->used + more)
        room *= 2;
    int64_t *grown = realloc(r->out->storage, room * sizeof *grown);
    if (!grown)
        return false;
    r->out->storage = grown;
    r->room = room;
    return true;
}

static bool add_text(reader *r, const xr_token_text *text)
{
    if (r->out->count == r->text_room) {
        size_t room = r->text_room ? 2 * r->text_room : 64;
        xr_token_text *grown = realloc(r->out->text, room * sizeof *grown);
        if (!grown)
            return false;
        r->out->text = grown;
        r->text_room = room;
    }
    r->out->text[r->out->count++] = *text;
    return true;
}

/* Adds one frame's rows. */
static bool add_frame(reader *r, size_t frame, const exray_tensor_view view[2], const float *const values[2])
{
    size_t places = places_of(&view[0]), count = (size_t)view[0].count;
    if (places == 0 || !make_room(r, 2 * count))
        return false;
    size_t at = r->used;
    for (int s = 0; s < 2; s++)
        for (size_t i = 0; i < count; i++)
            r->out->storage[r->used++] = whole_at(&view[s], values[s], i);
    for (size_t row = 0; row < count / places; row++) {
        xr_token_text t = {.frame = frame, .row = row, .places = places};
        /* Where they lie is known as an offset as long as the storage grows. */
        t.begin[0] = at + row * places;
        t.begin[1] = at + count + row * places;
        if (!add_text(r, &t))
            return false;
    }
    r->out->ids += count;
    return true;
}

/* Adds the only row of a frame, on each side as long as it is. */
static bool add_open_frame(reader *r, size_t frame, const exray_tensor_view view[2],
                           const float *const values[2])
{
    xr_token_text t = {.frame = frame, .places = r->open};
    if (!make_room(r, 2 * r->open))
        return false;
    for (int s = 0; s < 2; s++) {
        t.begin[s] = r->used;
        for (size_t i = 0; i < r->open; i++)
            r->out->storage[r->used++] =
                i < view[s].count ? whole_at(&view[s], values[s], i) : XR_TOKEN_ABSENT;
    }
    r->out->ids += r->open;
    return add_text(r, &t);
}

static bool is_of_texts(const reader *r, const exray_tensor_view view[2])
{
    if (r->open)
        return view[0].count < r->open && view[1].count < r->open;
    return view[0].count == view[1].count && places_of(&view[0]) > 0 &&
           places_of(&view[0]) == places_of(&view[1]);
}

/* false: not tokens, or no memory (r->out->storage tells). */
static exray_status read_frame(reader *r, size_t frame, exray_slot *const slot[2], bool *tokens,
                               exray_error *error)
{
    exray_tensor_view view[2];
    const float *values[2];
    for (int s = 0; s < 2; s++) {
        exray_status status = exray_comparison_values(r->comparison, (exray_side)s, frame, EXRAY_KIND_INPUT,
                                                      r->pair, slot[s], &view[s], &values[s], error);
        if (status == EXRAY_E_STATE || status == EXRAY_E_UNSUPPORTED || status == EXRAY_E_FORMAT)
            return EXRAY_OK; /* this frame cannot be used */
        if (status != EXRAY_OK)
            return status;
    }
    if (!is_of_texts(r, view) || !is_whole_view(&view[0], values[0]) || !is_whole_view(&view[1], values[1])) {
        *tokens = false;
        return EXRAY_OK;
    }
    for (int s = 0; s < 2; s++)
        r->out->floats = r->out->floats || is_float_type(&view[s].info);
    if (r->open ? add_open_frame(r, frame, view, values) : add_frame(r, frame, view, values))
        return EXRAY_OK;
    *error = (exray_error){EXRAY_E_MEMORY, "out of memory while reading ids"};
    return EXRAY_E_MEMORY;
}

static void set_pointers(xr_token_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        for (int s = 0; s < 2; s++) {
            xr_token_text *t = &texts->text[i];
            t->id[s] = texts->storage + t->begin[s];
            t->begin[s] = 0;
            t->end[s] = t->places;
        }
}

static void note_range(xr_token_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        for (int s = 0; s < 2; s++)
            for (size_t k = 0; k < texts->text[i].places; k++) {
                int64_t v = texts->text[i].id[s][k];
                if (v == XR_TOKEN_ABSENT)
                    continue;
                if ((i == 0 && k == 0) || v < texts->least[s])
                    texts->least[s] = v;
                if ((i == 0 && k == 0) || v > texts->most[s])
                    texts->most[s] = v;
            }
}

/* Behind the flags of a row that ends there is none: 0, as in padding. */
static void end_flags(xr_token_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        for (int s = 0; s < 2; s++)
            for (size_t k = 0; k < texts->text[i].places; k++)
                if (texts->text[i].id[s][k] == XR_TOKEN_ABSENT)
                    texts->storage[texts->text[i].id[s] - texts->storage + (ptrdiff_t)k] = 0;
}

/* ---- Padding ---------------------------------------------------------------------------------------- */

/* How many of one id a row begins (front) or ends with. */
static size_t run_of(const xr_token_text *t, int side, bool front)
{
    size_t n = 1;
    const int64_t *id = t->id[side];
    while (n < t->places && (front ? id[n] == id[0] : id[t->places - 1 - n] == id[t->places - 1]))
        n++;
    return n;
}

typedef struct pad_vote {
    int64_t id;
    size_t total, longest;
} pad_vote;

/* The id that most rows' runs at one end are of. */
static pad_vote vote_of(const xr_token_texts *texts, int side, bool front)
{
    pad_vote list[MOST_VALUES], best = {0, 0, 0};
    size_t count = 0;
    for (size_t i = 0; i < texts->count; i++) {
        const xr_token_text *t = &texts->text[i];
        size_t run = run_of(t, side, front), k = 0;
        int64_t id = t->id[side][front ? 0 : t->places - 1];
        if (run == t->places)
            continue; /* an empty text: its end cannot be told from its beginning */
        while (k < count && list[k].id != id)
            k++;
        if (k == count && count == MOST_VALUES)
            continue;
        if (k == count)
            list[count++] = (pad_vote){id, 0, 0};
        list[k].total += run;
        list[k].longest = run > list[k].longest ? run : list[k].longest;
    }
    for (size_t k = 0; k < count; k++)
        if (list[k].longest >= 2 && list[k].total >= 3 && list[k].total > best.total)
            best = list[k];
    return best;
}

static xr_token_padding padding_of(const xr_token_texts *texts, int side)
{
    pad_vote front = vote_of(texts, side, true), end = vote_of(texts, side, false);
    bool in_front = front.total > end.total;
    return (xr_token_padding){
        .known = front.total + end.total > 0, .front = in_front, .id = in_front ? front.id : end.id};
}

/* Texts that are moved in their rows have padding at both ends: where most of the edge's rows are padded at
 * the reference's end, too, with its id, that is their end. */
static void settle_end(xr_token_texts *texts)
{
    const xr_token_padding *reference = &texts->padding[EXRAY_SIDE_REFERENCE];
    size_t padded = 0;
    for (size_t i = 0; i < texts->count; i++) {
        const xr_token_text *t = &texts->text[i];
        padded += t->id[0][reference->front ? 0 : t->places - 1] == reference->id;
    }
    if (reference->known && 2 * padded > texts->count)
        texts->padding[EXRAY_SIDE_EDGE] = *reference;
}

/* Takes the padding off one end. */
static void strip(xr_token_texts *texts, int side, bool front)
{
    const xr_token_padding *p = &texts->padding[side];
    for (size_t i = 0; i < texts->count && p->known; i++) {
        xr_token_text *t = &texts->text[i];
        if (front)
            while (t->begin[side] < t->end[side] && t->id[side][t->begin[side]] == p->id)
                t->begin[side]++;
        else
            while (t->end[side] > t->begin[side] && t->id[side][t->end[side] - 1] == p->id)
                t->end[side]--;
    }
}

static bool are_equally_long(const xr_token_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        if (xr_token_length(&texts->text[i], 0) != xr_token_length(&texts->text[i], 1))
            return false;
    return true;
}

/* ---- All of it ------------------------------------------------------------------------------------------
 */

bool xr_token_is_equal(const xr_token_text *t)
{
    return memcmp(t->id[0], t->id[1], t->places * sizeof *t->id[0]) == 0;
}

static xr_token_input kind_of(const reader *r)
{
    const xr_token_texts *t = r->out;
    if (t->count == 0)
        return XR_TOKENS_NONE;
    if (t->least[0] >= 0 && t->least[1] >= 0 && t->most[0] <= 1 && t->most[1] <= 1)
        return XR_TOKENS_FLAGS;
    if (t->least[EXRAY_SIDE_REFERENCE] < XR_LEAST_ID)
        return XR_TOKENS_NONE;
    if (t->floats && !is_looked_up(r->comparison, r->io))
        return XR_TOKENS_NONE;
    return XR_TOKENS_IDS;
}

/* What of the rows is text. */
static void find_texts(xr_token_texts *texts)
{
    for (int s = 0; s < 2; s++)
        texts->padding[s] =
            texts->open ? (xr_token_padding){.known = true, .id = XR_TOKEN_ABSENT} : padding_of(texts, s);
    if (!texts->open)
        settle_end(texts);
    for (int s = 0; s < 2; s++)
        strip(texts, s, texts->padding[s].front);
    for (int s = 0; s < 2 && !are_equally_long(texts); s++)
        strip(texts, s, !texts->padding[s].front); /* the other end, too: texts moved in their rows */
}

/* Of one text: the id and number of what the longer row has more at one end; false: it is not so. */
static bool more_of(const xr_token_text *t, int64_t *id, size_t *count)
{
    int longer = xr_token_length(t, 0) < xr_token_length(t, 1);
    const int64_t *a = xr_token_ids(t, longer), *b = xr_token_ids(t, !longer);
    size_t n = xr_token_length(t, longer), m = xr_token_length(t, !longer);
    bool behind = memcmp(a, b, m * sizeof *a) == 0;
    *count = n - m;
    if (!behind && memcmp(a + *count, b, m * sizeof *a) != 0)
        return false;
    const int64_t *more = behind ? a + m : a;
    *id = *more;
    for (size_t k = 1; k < *count; k++)
        if (more[k] != *id)
            return false;
    return *count > 0;
}

/* Whether all that differs is padding: the longer row is the shorter one and one more id, as often as it
 * takes. */
static bool is_padded_alone(const xr_token_texts *texts)
{
    size_t seen = 0, first = 0;
    int64_t pad = 0;
    bool varies = false;
    for (size_t i = 0; i < texts->count; i++) {
        int64_t id;
        size_t count;
        if (xr_token_is_equal(&texts->text[i]))
            continue;
        if (!more_of(&texts->text[i], &id, &count) || (seen > 0 && id != pad))
            return false;
        varies = varies || (seen > 0 && count != first);
        first = count;
        pad = id;
        seen++;
    }
    /* As many in each text: ids that belong to it, such as a separator. */
    return varies;
}

exray_status xr_token_texts_read(const exray_comparison *comparison, size_t pair, xr_token_texts *out,
                                 xr_token_input *kind, exray_error *error)
{
    *out = (xr_token_texts){.text = NULL};
    *kind = XR_TOKENS_NONE;
    reader r = {.comparison = comparison,
                .io = exray_comparison_input(comparison, pair),
                .pair = pair,
                .out = out,
                .open = xr_token_open_places(comparison, pair)};
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    exray_status status = slot[0] && slot[1] ? EXRAY_OK : EXRAY_E_MEMORY;
    bool tokens = true;
    for (size_t f = 0; f < exray_comparison_frame_count(comparison) && tokens && status == EXRAY_OK; f++)
        if (out->ids < MOST_IDS &&
            (r.open || exray_comparison_same_shape(comparison, f, EXRAY_KIND_INPUT, pair)))
            status = read_frame(&r, f, slot, &tokens, error);
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    if (status != EXRAY_OK || !tokens) {
        xr_token_texts_free(out);
        return status;
    }
    out->open = r.open > 0;
    set_pointers(out);
    note_range(out);
    *kind = kind_of(&r);
    if (*kind == XR_TOKENS_IDS)
        find_texts(out);
    else if (*kind == XR_TOKENS_FLAGS && out->open)
        end_flags(out);
    if (*kind == XR_TOKENS_IDS && out->open && is_padded_alone(out))
        *kind = XR_TOKENS_NONE; /* a matter of the shape */
    return EXRAY_OK;
}

void xr_token_texts_free(xr_token_texts *texts)
{
    free(texts->text);
    free(texts->storage);
    *texts = (xr_token_texts){.text = NULL};
}
