#include "checks/input/tokens/token_words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Clauses of one sentence. */
typedef struct token_clauses {
    char text[900];
    size_t used;
} token_clauses;

static void put(token_clauses *w, const char *format, ...) EXRAY_PRINTF;

static void put(token_clauses *w, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t room = sizeof w->text - w->used;
    int n = vsnprintf(w->text + w->used, room, format, arguments);
    va_end(arguments);
    w->used += n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

static void begin_clause(token_clauses *w)
{
    if (w->used)
        put(w, "; ");
}

typedef struct speaker {
    const xr_token_texts *texts;
    const xr_token_story *story;
    const xr_token_names *names; /* [2] */
    exray_finding *finding;
    token_clauses *says;
    const char *fix;
} speaker;

/* An id with its token: `2 ("<UNKNOWN>")`. */
static const char *id_of(const speaker *s, int side, int64_t id, char text[112])
{
    char name[XR_TOKEN_NAME];
    snprintf(text, 112, "%" PRId64 "%s", id, xr_token_name(&s->names[side], id, name));
    return text;
}

/* "id 2", or "no id" behind the end of a row. */
static const char *id_or_none(const speaker *s, int side, int64_t id, char text[120])
{
    char number[112];
    if (id == XR_TOKEN_ABSENT)
        snprintf(text, 120, "no id");
    else
        snprintf(text, 120, "id %s", id_of(s, side, id, number));
    return text;
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

static void add_number(const speaker *s, const char *key, double value)
{
    exray_finding_number(s->finding, key, value);
}

/* ---- Which ids stand in whose place -------------------------------------------------------------------- */

/* ids: how many different ones stand there on the other side; 0: not known; added: none do, the id stands
 * between equal ones. */
static void say_unknown(speaker *s, exray_side side, int64_t unknown, size_t places, size_t ids, bool added)
{
    char id[112], several[40] = "other ids";
    if (ids)
        snprintf(several, sizeof several, "%zu other id%s", ids, plural(ids));
    if (added)
        put(s->says,
            "%s has id %s in %zu more place%s, between the %" PRIu64
            " ids of the reference: words that %s drops, or that are unknown (%" PRId64 ")",
            side == EXRAY_SIDE_EDGE ? "the edge" : "the reference", id_of(s, (int)side, unknown, id), places,
            plural(places), s->story->ids, side == EXRAY_SIDE_EDGE ? "the reference" : "the edge", unknown);
    else
        put(s->says, "%s has id %s in %zu of %" PRIu64 " places where %s has %s: unknown (%" PRId64 ")",
            side == EXRAY_SIDE_EDGE ? "the edge" : "the reference", id_of(s, (int)side, unknown, id), places,
            s->story->ids, side == EXRAY_SIDE_EDGE ? "the reference" : "the edge", several, unknown);
    add_number(s, "unknown_id", (double)unknown);
    add_number(s, "unknown_places", (double)places);
    exray_finding_text(s->finding, "unknown_side", side == EXRAY_SIDE_EDGE ? "edge" : "reference");
    s->fix = "Look words up as the reference does: prepare the text alike (lower case, accents, punctuation, "
             "spaces) and use its whole vocabulary; what is not found becomes the id of unknown words.";
}

static void say_vocabulary_end(const speaker *s, const xr_token_map *m)
{
    if (m->kept == 0 || m->replaced_least <= m->kept_most || m->ids[1] < 3)
        return;
    exray_finding_detail(s->finding,
                         "All ids that are replaced are %" PRId64 " or more, all that stay %" PRId64
                         " or less: as with a vocabulary that ends between them.",
                         m->replaced_least, m->kept_most);
}

static void say_one_id(speaker *s, const xr_token_map *m)
{
    char id[2][112];
    put(s->says, "the edge has id %s in %s%zu place%s where the reference has id %s",
        id_of(s, 0, m->first.edge, id[0]), m->mixed ? "" : "all ", m->differing, plural(m->differing),
        id_of(s, 1, m->first.reference, id[1]));
    if (m->mixed)
        put(s->says, ", and not in others");
    s->fix =
        "Give unknown words, the start, the separator and padding the ids that the reference gives them.";
}

static void say_offset(speaker *s, const xr_token_map *m)
{
    int64_t size = m->offset < 0 ? -m->offset : m->offset;
    put(s->says,
        "the edge's ids are too %s by %" PRId64 " (edge = reference %c %" PRId64 ") in %zu of %zu places",
        m->offset > 0 ? "high" : "low", size, m->offset > 0 ? '+' : '-', size, m->differing, m->places);
    if (m->kept == 1)
        put(s->says, "; id %" PRId64 " is the same", m->kept_most);
    else if (m->kept)
        put(s->says, "; the %zu ids that are the same are %" PRId64 " to %" PRId64, m->kept, m->kept_least,
            m->kept_most);
    add_number(s, "offset", (double)m->offset);
    s->fix = "Number the vocabulary as the reference does: with its count of special ids in front.";
}

static void say_one_to_one(speaker *s, const xr_token_map *m)
{
    put(s->says,
        "each of the reference's ids is always one other id on the edge (%zu ids in %zu of %zu places): "
        "another vocabulary, or its words in another order",
        m->ids[1], m->differing, m->places);
    add_number(s, "ids", (double)m->ids[1]);
    s->fix = "Use the vocabulary file that the model was trained with, in its order, on the edge.";
}

static void say_map(speaker *s, const xr_token_map *m)
{
    char id[2][112];
    if (m->kind != XR_TOKEN_MAP_EQUAL && m->kind != XR_TOKEN_MAP_NONE)
        begin_clause(s->says);
    switch (m->kind) {
    case XR_TOKEN_MAP_ONE_EDGE:
        say_unknown(s, EXRAY_SIDE_EDGE, m->first.edge, m->differing, m->ids[1], false);
        say_vocabulary_end(s, m);
        break;
    case XR_TOKEN_MAP_ONE_REFERENCE:
        say_unknown(s, EXRAY_SIDE_REFERENCE, m->first.reference, m->differing, m->ids[0], false);
        break;
    case XR_TOKEN_MAP_ONE_ID:
        say_one_id(s, m);
        break;
    case XR_TOKEN_MAP_EXCHANGED:
        put(s->says, "ids %s and %s are exchanged, in %zu places", id_of(s, 1, m->replaced_least, id[0]),
            id_of(s, 1, m->replaced_most, id[1]), m->differing);
        s->fix = "Give each special token the id that the reference gives it.";
        break;
    case XR_TOKEN_MAP_OFFSET:
        say_offset(s, m);
        break;
    case XR_TOKEN_MAP_WRAPPED:
        put(s->says, "the edge's ids are what %u bits keep of the reference's, in %zu of %zu places", m->bits,
            m->differing, m->places);
        add_number(s, "bits", m->bits);
        s->fix = "Keep ids in integers of 32 bits or more until the model has them.";
        break;
    case XR_TOKEN_MAP_ONE_TO_ONE:
        say_one_to_one(s, m);
        break;
    default:
        break;
    }
}

/* ---- Which part of the text is there --------------------------------------------------------------------
 */

/* The ids that one side has at an end: "101", "101 and 7". */
static void put_end_ids(speaker *s, int number, bool front)
{
    int side = number > 0 ? 1 : 0;
    size_t n = (size_t)abs(number);
    for (size_t i = 0; i < s->texts->count; i++) {
        const xr_token_text *t = &s->texts->text[i];
        size_t length = xr_token_length(t, side);
        char id[112];
        if (length < n || (!front && xr_token_is_full(t, side) && i + 1 < s->texts->count))
            continue;
        for (size_t k = 0; k < n; k++)
            put(s->says, "%s%s", k ? ", " : "",
                id_of(s, side, xr_token_ids(t, side)[front ? k : length - n + k], id));
        return;
    }
}

static void put_end(speaker *s, int number, bool front)
{
    int n = abs(number);
    if (n == 1)
        put(s->says, "the %s id (", front ? "first" : "last");
    else
        put(s->says, "the %s %d ids (", front ? "first" : "last", n);
    put_end_ids(s, number, front);
    put(s->says, ")");
}

static void say_ends(speaker *s, const xr_token_place *p)
{
    bool lacks = p->front > 0 || p->back > 0, has = p->front < 0 || p->back < 0;
    if (lacks) {
        put(s->says, "the edge's texts lack ");
        if (p->front > 0)
            put_end(s, p->front, true);
        put(s->says, p->front > 0 && p->back > 0 ? " and " : "");
        if (p->back > 0)
            put_end(s, p->back, false);
        put(s->says, " of the reference's");
    }
    if (has) {
        put(s->says, lacks ? " and have more: " : "the edge's texts have more than the reference's: ");
        if (p->front < 0)
            put_end(s, p->front, true);
        put(s->says, p->front < 0 && p->back < 0 ? " and " : "");
        if (p->back < 0)
            put_end(s, p->back, false);
    }
    if (p->front)
        put(s->says, ", so that all ids are shifted by %d place%s to the %s", abs(p->front),
            plural((uint64_t)abs(p->front)), p->front > 0 ? "front" : "end");
    if (p->front)
        add_number(s, "shift", -p->front);
    s->fix = lacks ? "Add the special tokens that the reference adds (the start, the separator) on the edge."
                   : "Add special tokens once, and those alone that the reference adds.";
}

static void say_cut(speaker *s, const xr_token_place *p)
{
    const char *who = p->shorter == EXRAY_SIDE_EDGE ? "the edge's" : "the reference's";
    const char *other = p->shorter == EXRAY_SIDE_EDGE ? "the reference's" : "the edge's";
    char id[112];
    size_t tail = p->by_head ? p->length - p->head : p->tail, head = p->length - tail;
    const int64_t *last = NULL, *first = NULL;
    for (size_t i = 0; i < s->texts->count && !last; i++) {
        const xr_token_text *t = &s->texts->text[i];
        if (xr_token_length(t, 0) == xr_token_length(t, 1))
            continue;
        first = xr_token_ids(t, (int)p->shorter);
        last = first + xr_token_length(t, (int)p->shorter) - 1;
    }
    if (tail == 0)
        put(s->says, "%s long texts are cut after %zu ids, %s go on", who, p->length, other);
    else if (head == 0)
        put(s->says, "of long texts %s are the last %zu ids of %s: the beginning is cut off", who, p->length,
            other);
    else if (tail == 1)
        put(s->says, "%s long texts are cut after %zu ids, the last of which is kept as id %s; %s go on", who,
            p->length, last ? id_of(s, (int)p->shorter, *last, id) : "", other);
    else if (head == 1)
        put(s->says, "of long texts %s are id %s and then the last %zu ids of %s: the beginning is cut off",
            who, first ? id_of(s, (int)p->shorter, *first, id) : "", tail, other);
    else
        put(s->says, "of long texts %s are the first %zu and the last %zu ids of %s: the middle is cut out",
            who, head, tail, other);
    put(s->says, " (%zu of %zu texts)", p->texts, s->texts->count);
    add_number(s, "length", (double)p->length);
    add_number(s, "texts_cut", (double)p->texts);
    s->fix = "Cut long texts at the reference's length and at the same end, special tokens counted alike.";
}

static void say_other_end(speaker *s, const xr_token_place *p)
{
    const char *early = p->shorter == EXRAY_SIDE_EDGE ? "the edge's" : "the reference's";
    const char *late = p->shorter == EXRAY_SIDE_EDGE ? "the reference's" : "the edge's";
    s->fix = "Cut long texts at the end that the reference cuts them at.";
    if (p->moved == 0) {
        put(s->says,
            "only long texts differ, which fill the row on both sides (%zu of %zu texts): they are cut "
            "otherwise, and share too little to tell how",
            p->texts, s->texts->count);
        return;
    }
    put(s->says,
        "of long texts that fill the row, %s ids begin %zu places later in the text than %s: %s keep the end "
        "of "
        "the text, %s are cut behind its beginning (%zu of %zu texts)",
        late, p->moved, early, late, early, p->texts, s->texts->count);
    add_number(s, "shift", (double)p->moved);
}

static void say_place(speaker *s, const xr_token_place *p)
{
    if (p->kind != XR_TOKEN_PLACE_SAME)
        begin_clause(s->says);
    switch (p->kind) {
    case XR_TOKEN_PLACE_ENDS:
        say_ends(s, p);
        break;
    case XR_TOKEN_PLACE_CUT:
        say_cut(s, p);
        break;
    case XR_TOKEN_PLACE_OTHER_END:
        say_other_end(s, p);
        break;
    case XR_TOKEN_PLACE_REVERSED:
        put(s->says, "the edge's ids are the reference's in the reverse order, last first");
        s->fix = "Fill the row in the order of the text.";
        break;
    default:
        break;
    }
}

/* ---- Edits
 * -------------------------------------------------------------------------------------------------- */

static void say_edits(speaker *s, const xr_token_edits *e)
{
    char id[112];
    begin_clause(s->says);
    switch (e->kind) {
    case XR_TOKEN_EDITS_ONE_EDGE:
        say_unknown(s, EXRAY_SIDE_EDGE, e->id[0], e->changed[0], 0, e->changed[1] == 0);
        return;
    case XR_TOKEN_EDITS_ONE_REFERENCE:
        say_unknown(s, EXRAY_SIDE_REFERENCE, e->id[1], e->changed[1], 0, false);
        return;
    case XR_TOKEN_EDITS_LEFT_OUT:
        put(s->says, "the edge's texts lack %zu of the reference's %" PRIu64 " ids", e->changed[1],
            s->story->ids);
        if (e->ids[1] == 1)
            put(s->says, ", all of them id %s", id_of(s, 1, e->id[1], id));
        break;
    case XR_TOKEN_EDITS_ADDED:
        put(s->says, "the edge's texts have %zu ids more than the reference's %" PRIu64, e->changed[0],
            s->story->ids);
        break;
    default:
        put(s->says,
            "%zu of the reference's %" PRIu64 " ids are in the edge's texts in the same order; %zu are not, "
            "and the edge has %zu others: another tokenizer, or another text",
            e->equal, s->story->ids, e->changed[1], e->changed[0]);
        break;
    }
    s->fix = "Split the text as the reference does: the same tokenizer, pattern and vocabulary.";
}

static void say_nothing_known(speaker *s)
{
    begin_clause(s->says);
    put(s->says, "the edge's ids are others than the reference's in %" PRIu64 " places", s->story->differing);
    s->fix = "Use the reference's vocabulary and tokenizer on the edge, with its special tokens.";
}

/* ---- The rows around the texts
 * ---------------------------------------------------------------------------------- */

static void say_padding(speaker *s)
{
    const xr_token_padding *edge = &s->texts->padding[0], *reference = &s->texts->padding[1];
    const xr_token_story *story = s->story;
    char id[2][112];
    if (story->padding_id) {
        int64_t pad = story->whole_rows ? story->map.first.edge : edge->id;
        begin_clause(s->says);
        put(s->says, "the edge pads with id %s, the reference with id %s", id_of(s, 0, pad, id[0]),
            id_of(s, 1, reference->id, id[1]));
        add_number(s, "padding_edge", (double)pad);
        add_number(s, "padding_reference", (double)reference->id);
        s->fix = "Pad with the id that the reference pads with.";
    }
    if (story->padding_side) {
        begin_clause(s->says);
        put(s->says, "the edge's texts are padded %s, the reference's %s",
            edge->front ? "in front" : "at the end", reference->front ? "in front" : "at the end");
        s->fix = "Pad at the end of the row that the reference pads at.";
    } else if (story->moved) {
        int64_t n = story->moved < 0 ? -story->moved : story->moved;
        begin_clause(s->says);
        put(s->says, "the edge's ids are the reference's shifted by %" PRId64 " place%s to the %s", n,
            plural((uint64_t)n), story->moved > 0 ? "end" : "front");
        add_number(s, "shift", (double)story->moved);
        s->fix = "Begin each row with the text, as the reference does.";
    }
}

static void say_other_frames(speaker *s)
{
    int late = s->story->frames_late, n = abs(late);
    put(s->says, "the edge's ids are those of %d frame%s %s", n, plural((uint64_t)n),
        late > 0 ? "before" : "later");
    add_number(s, "frames_late", late);
    s->fix = "Fill the model's input with the frame's own text before each run.";
}

/* ---- The finding
 * ---------------------------------------------------------------------------------------------------- */

const char *xr_token_story_cause(const xr_token_story *story)
{
    if (story->frame_order)
        return "input.frame_order";
    return story->map.kind == XR_TOKEN_MAP_WRAPPED ? "input.dtype" : "input.tokens";
}

static const char *kind_of_map(const xr_token_map *m)
{
    static const char *const names[] = {[XR_TOKEN_MAP_NONE] = NULL,
                                        [XR_TOKEN_MAP_EQUAL] = NULL,
                                        [XR_TOKEN_MAP_ONE_ID] = "id",
                                        [XR_TOKEN_MAP_EXCHANGED] = "exchanged",
                                        [XR_TOKEN_MAP_OFFSET] = "offset",
                                        [XR_TOKEN_MAP_ONE_EDGE] = "unknown",
                                        [XR_TOKEN_MAP_ONE_REFERENCE] = "unknown",
                                        [XR_TOKEN_MAP_WRAPPED] = "wrapped",
                                        [XR_TOKEN_MAP_ONE_TO_ONE] = "vocabulary"};
    return names[m->kind];
}

static const char *kind_of_place(const xr_token_place *p)
{
    switch (p->kind) {
    case XR_TOKEN_PLACE_ENDS:
        return "special";
    case XR_TOKEN_PLACE_CUT:
    case XR_TOKEN_PLACE_OTHER_END:
        return "truncated";
    case XR_TOKEN_PLACE_REVERSED:
        return "reversed";
    default:
        return NULL;
    }
}

static const char *kind_of_edits(const xr_token_edits *e)
{
    static const char *const names[] = {[XR_TOKEN_EDITS_OTHER] = "tokenizer",
                                        [XR_TOKEN_EDITS_ONE_EDGE] = "unknown",
                                        [XR_TOKEN_EDITS_ONE_REFERENCE] = "unknown",
                                        [XR_TOKEN_EDITS_LEFT_OUT] = "left_out",
                                        [XR_TOKEN_EDITS_ADDED] = "added"};
    return names[e->kind];
}

const char *xr_token_story_kind(const xr_token_story *story)
{
    if (story->frame_order)
        return "frame_order";
    if (story->stale)
        return "stale";
    if (story->whole_rows && story->padding_id)
        return "padding_id";
    if (story->has_edits)
        return kind_of_edits(&story->edits);
    const char *kind = kind_of_map(&story->map);
    kind = kind ? kind : kind_of_place(&story->place);
    if (kind)
        return kind;
    return story->padding_side ? "padding_side"
           : story->moved      ? "shifted"
           : story->padding_id ? "padding_id"
                               : "ids";
}

static void say_first(const exray_comparison *c, const speaker *s)
{
    const xr_token_text *t = &s->texts->text[s->story->first_text];
    size_t k = s->story->first_place;
    const exray_frame *frame = exray_log_frame(exray_comparison_log(c, EXRAY_SIDE_EDGE),
                                               exray_comparison_frame(c, t->frame).frame[0]);
    char id[2][120], name[XR_TOKEN_NAME];
    if (s->story->affected == 0)
        return;
    exray_finding_detail(s->finding,
                         "First in frame %" PRIu64 ", place %zu (counted from 0): the edge has %s, the "
                         "reference %s.",
                         frame->index, k, id_or_none(s, 0, t->id[0][k], id[0]),
                         id_or_none(s, 1, t->id[1][k], id[1]));
    add_number(s, "first_frame", (double)frame->index);
    add_number(s, "first_place", (double)k);
    for (int side = 0; side < 2; side++)
        if (t->id[side][k] != XR_TOKEN_ABSENT)
            add_number(s, side ? "reference_id" : "edge_id", (double)t->id[side][k]);
    for (int side = 0; side < 2; side++)
        if (t->id[side][k] != XR_TOKEN_ABSENT && *xr_token_name(&s->names[side], t->id[side][k], name)) {
            name[strlen(name) - 2] = 0;
            exray_finding_text(s->finding, side ? "reference_token" : "edge_token", name + 3);
        }
}

static void say_all(speaker *s)
{
    const xr_token_story *story = s->story;
    if (story->frame_order)
        say_other_frames(s);
    else if (story->stale) {
        put(s->says, "behind the text the edge's rows keep ids of the frame before: the row is not cleared");
        s->fix = "Clear the whole row, or pad it to its end, before each text.";
    } else if (story->whole_rows && story->padding_id)
        say_padding(s);
    else {
        if (story->has_edits)
            say_edits(s, &story->edits);
        else {
            say_map(s, &story->map);
            say_place(s, &story->place);
        }
        if (!story->whole_rows)
            say_padding(s);
    }
    if (s->says->used == 0)
        say_nothing_known(s);
}

void xr_say_token_story(const exray_comparison *comparison, const char *tensor, const xr_token_texts *texts,
                        const xr_token_story *story, const xr_token_names names[2], exray_finding *finding)
{
    token_clauses says = {"", 0};
    speaker s = {texts, story, names, finding, &says, ""};
    exray_finding_text(finding, "kind", xr_token_story_kind(story));
    say_all(&s);
    exray_finding_summary(finding, "In input %.100s %s.", tensor, says.text);
    say_first(comparison, &s);
    exray_finding_fix(finding, "%s", s.fix);
    add_number(&s, "places_differing", (double)story->differing);
    add_number(&s, "ids_compared", (double)story->ids);
    add_number(&s, "texts_affected", (double)story->affected);
    add_number(&s, "texts", (double)story->texts);
}
