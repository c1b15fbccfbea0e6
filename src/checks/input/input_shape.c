/* input.shape: another size or length than the reference's, and how the values relate. */
#include "checks/input/fit/pixel_view.h"
#include "checks/input/frames/frame_list.h"
#include "checks/input/frames/frame_words.h"
#include "checks/input/input_findings.h"
#include "checks/input/shape/left_out_padding.h"
#include "checks/input/shape/shape_relation.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_INPUTS = 16, MOST_READ = 32, TEXT = 96 };

/* One input that has different shapes. */
typedef struct other_input {
    const exray_io_pair *io;
    bool *differs;         /* [frames] */
    size_t count, example; /* frames; one of the relation that most of them have */
    xr_shape_relation relation;
    bool same_in_all;          /* the shapes of the example, in all frames that were read */
    int64_t least[2], most[2]; /* of the only size that differs, over the frames that were read */
    char shape[2][TEXT];       /* of the example */
    bool picture, ids;
    uint32_t rank;      /* of the edge's, in the example */
    uint32_t rows_axis; /* of a picture: the dimension of its rows; the next is that of its columns */
} other_input;

static const char *const side_name[2] = {"edge", "reference"};

/* ---- Reading ---------------------------------------------------------------------------------- */

/* A side's record, with its values where they were kept. */
static bool read_side(const exray_comparison *c, const exray_io_pair *io, int side, size_t frame,
                      exray_slot *slot, exray_tensor_view *view, const float **values)
{
    const exray_log *log = exray_comparison_log(c, (exray_side)side);
    const exray_record *record = exray_log_find(log, exray_comparison_frame(c, frame).frame[side],
                                                EXRAY_KIND_INPUT, EXRAY_NO_INDEX, 0, io->name[side]);
    exray_error error;
    *values = NULL;
    if (!record)
        return false;
    if (record->has_data && exray_log_read_values(log, record, slot, view, values, &error) == EXRAY_OK)
        return true;
    *values = NULL;
    return exray_log_read_tensor(log, record, slot, view, &error) == EXRAY_OK;
}

static void write_shape(const exray_tensor_info *info, char text[TEXT])
{
    size_t used = (size_t)snprintf(text, TEXT, "[");
    for (uint32_t i = 0; i < info->rank && used < TEXT; i++)
        used += (size_t)snprintf(text + used, TEXT - used, "%s%" PRId64, i ? "," : "", info->shape[i]);
    if (used < TEXT)
        snprintf(text + used, TEXT - used, "]");
}

static bool is_id(const exray_tensor_info *info)
{
    return info->quantization.count == 0 && info->dtype >= EXRAY_DTYPE_INT16 &&
           info->dtype <= EXRAY_DTYPE_UINT64;
}

static bool is_exact(const exray_tensor_info *info)
{
    return is_id(info) || info->dtype == EXRAY_DTYPE_BOOL;
}

/* Takes an example's words from a frame. */
static void note_example(other_input *o, size_t frame, const exray_tensor_view view[2],
                         const xr_shape_relation *relation)
{
    o->example = frame;
    o->relation = *relation;
    for (int s = 0; s < 2; s++)
        write_shape(&view[s].info, o->shape[s]);
    xr_pixel_view v[2];
    for (int s = 0; s < 2; s++)
        v[s] = xr_pixel_view_of(&view[s].info, view[s].count);
    o->picture = !o->io->table && v[0].rows > 1 && v[1].rows > 1 && v[0].columns > 1 && v[1].columns > 1 &&
                 v[0].channels == v[1].channels;
    o->rank = view[0].info.rank;
    o->rows_axis = view[0].info.rank >= 3 ? view[0].info.rank - (v[0].channel_stride == 1 ? 3 : 2) : 0;
    o->ids = is_id(&view[0].info) && is_id(&view[1].info);
}

static uint32_t axis_of(const xr_shape_relation *r)
{
    for (uint32_t i = 0; i < r->rank; i++)
        if (r->size[0][i] != r->size[1][i])
            return i;
    return 0;
}

static void note_sizes(other_input *o, const xr_shape_relation *r, bool first)
{
    for (int s = 0; s < 2 && r->rank; s++) {
        int64_t n = r->size[s][axis_of(r)];
        o->least[s] = first || n < o->least[s] ? n : o->least[s];
        o->most[s] = first || n > o->most[s] ? n : o->most[s];
    }
}

/* Relates the two sides in every frame of other shapes, as far as time allows. */
static void relate(const exray_comparison *c, other_input *o, exray_slot *const slot[2])
{
    size_t votes[XR_SHAPE_RESIZED + 1] = {0}, read = 0, best = 0;
    char seen[2][TEXT] = {"", ""};
    o->same_in_all = true;
    for (size_t f = 0; f < exray_comparison_frame_count(c) && read < MOST_READ; f++) {
        exray_tensor_view view[2];
        const float *values[2];
        if (!o->differs[f] || !read_side(c, o->io, 0, f, slot[0], &view[0], &values[0]) ||
            !read_side(c, o->io, 1, f, slot[1], &view[1], &values[1]))
            continue;
        const xr_shaped side[2] = {{&view[0].info, values[0], view[0].count},
                                   {&view[1].info, values[1], view[1].count}};
        xr_shape_relation relation;
        xr_relate_shapes(side, is_exact(&view[0].info) && is_exact(&view[1].info), &relation);
        note_sizes(o, &relation, read == 0);
        for (int s = 0; s < 2; s++) {
            char now[TEXT];
            write_shape(&view[s].info, now);
            o->same_in_all = o->same_in_all && (read == 0 || strcmp(now, seen[s]) == 0);
            memcpy(seen[s], now, TEXT);
        }
        /* Unrelated frames do not outvote what the others show. */
        if (++votes[relation.kind] > best && (relation.kind != XR_SHAPE_UNRELATED || read == 0)) {
            best = relation.kind == XR_SHAPE_UNRELATED ? 0 : votes[relation.kind];
            note_example(o, f, view, &relation);
        }
        read++;
    }
}

/* ---- Words ------------------------------------------------------------------------------------ */

/* What the elements along a dimension are called. */
static const char *unit_of(const other_input *o, uint32_t i)
{
    uint32_t axis = o->relation.axis[i];
    if (axis == 0 && o->rank == 4 && o->picture)
        return "pictures";
    if (axis == 0 && o->rank > 1 && o->ids)
        return "rows";
    if (o->picture && axis == o->rows_axis)
        return "rows";
    if (o->picture && axis == o->rows_axis + 1)
        return "columns";
    if (o->picture)
        return "channels";
    return o->ids ? "tokens" : i + 1 == o->relation.rank ? "values" : "steps";
}

/* The only dimension in which the sizes differ, or rank. */
static uint32_t only_axis(const xr_shape_relation *r)
{
    uint32_t axis = r->rank;
    for (uint32_t i = 0; i < r->rank; i++)
        if (r->size[0][i] != r->size[1][i]) {
            if (axis < r->rank)
                return r->rank;
            axis = i;
        }
    return axis;
}

/* Whether a run has another number of pictures, of one size. */
static bool is_batch(const other_input *o)
{
    uint32_t axis = only_axis(&o->relation);
    return o->picture && o->rank == 4 && axis < o->relation.rank && o->relation.axis[axis] == 0;
}

typedef struct sentence {
    char *text;
    size_t size, used;
} sentence;

static void put(sentence *w, const char *format, ...) EXRAY_PRINTF;

static void put(sentence *w, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = w->used < w->size ? vsnprintf(w->text + w->used, w->size - w->used, format, arguments) : 0;
    va_end(arguments);
    w->used += n > 0 ? (size_t)n : 0;
}

/* "4 rows before and 8 behind". */
static void put_around(const other_input *o, uint32_t i, sentence *w)
{
    const xr_shape_relation *r = &o->relation;
    bool rows = o->picture && r->axis[i] == o->rows_axis,
         columns = o->picture && r->axis[i] == o->rows_axis + 1;
    int64_t before = r->begin[i], behind = r->size[r->larger][i] - r->size[!r->larger][i] - before;
    const char *first = rows      ? "above"
                        : columns ? "left"
                                  : "before",
               *last = rows      ? "below"
                       : columns ? "right"
                                 : "behind";
    if (before && behind)
        put(w, "%" PRId64 " %s %s and %" PRId64 " %s", before, unit_of(o, i), first, behind, last);
    else
        put(w, "%" PRId64 " %s %s", before ? before : behind, unit_of(o, i), before ? first : last);
}

static void put_padding(const other_input *o, sentence *w)
{
    const xr_shape_relation *r = &o->relation;
    uint32_t axis = only_axis(r);
    const char *larger = side_name[r->larger], *smaller = side_name[!r->larger];
    if (axis < r->rank && !o->picture) {
        int64_t n = r->size[!r->larger][axis], m = r->size[r->larger][axis];
        const char *where = r->begin[axis] == 0       ? "at the end"
                            : r->begin[axis] == m - n ? "at the beginning"
                                                      : "at both ends";
        put(w, "the %s's are the %s's %" PRId64 " %s, padded with %g to %" PRId64 " %s", larger, smaller, n,
            unit_of(o, axis), r->pad, m, where);
        return;
    }
    put(w, "the %s's is the %s's%s, padded with %.4g: ", larger, smaller,
        o->picture && !is_batch(o) ? " picture" : "", r->pad);
    bool any = false;
    for (uint32_t i = 0; i < r->rank; i++)
        if (r->size[0][i] != r->size[1][i]) {
            put(w, "%s", any ? ", " : "");
            put_around(o, i, w);
            any = true;
        }
}

static void put_part(const other_input *o, sentence *w)
{
    const xr_shape_relation *r = &o->relation;
    uint32_t axis = only_axis(r);
    const char *larger = side_name[r->larger], *smaller = side_name[!r->larger];
    if (axis < r->rank) {
        int64_t n = r->size[!r->larger][axis], m = r->size[r->larger][axis], at = r->begin[axis];
        if (n == 1) {
            put(w, "the %s's only %.*s is number %" PRId64 " of the %s's %" PRId64, smaller,
                (int)strlen(unit_of(o, axis)) - 1, unit_of(o, axis), at + 1, larger, m);
            return;
        }
        put(w, "the %s's %" PRId64 " %s are ", smaller, n, unit_of(o, axis));
        if (at == 0 || at == m - n)
            put(w, "the %s %" PRId64, at == 0 ? "first" : "last", n);
        else
            put(w, "%" PRId64 " to %" PRId64, at, at + n - 1);
        put(w, " of the %s's %" PRId64, larger, m);
        return;
    }
    put(w, "the %s's is the part of the %s's that begins at", smaller, larger);
    for (uint32_t i = 0; i < r->rank; i++)
        if (r->size[0][i] != r->size[1][i])
            put(w, " %.*s %" PRId64, (int)strlen(unit_of(o, i)) - 1, unit_of(o, i), r->begin[i]);
}

/* How the values relate, in the example; "" where it is not known. */
static void put_relation(const other_input *o, sentence *w)
{
    const xr_shape_relation *r = &o->relation;
    switch (r->kind) {
    case XR_SHAPE_PART:
        put_part(o, w);
        break;
    case XR_SHAPE_PADDED:
        put_padding(o, w);
        break;
    case XR_SHAPE_SPLIT:
        put(w,
            "the %s's %" PRId64 " %s are the first %" PRId64 " and the last %" PRId64 " of the %s's %" PRId64
            ", those between are cut out",
            side_name[!r->larger], r->head + r->tail, unit_of(o, r->first), r->head, r->tail,
            side_name[r->larger], r->size[r->larger][r->first]);
        break;
    case XR_SHAPE_TRANSPOSED:
        put(w, "the edge's is the reference's transposed, %s and %s exchanged", unit_of(o, r->first),
            unit_of(o, r->second));
        break;
    case XR_SHAPE_RESHAPED:
        put(w, "the values are the same and in the same order");
        break;
    case XR_SHAPE_RESIZED:
        put(w, o->picture ? "both show the same picture, at two sizes"
                          : "both have the same course, at two sizes");
        break;
    default:
        break;
    }
}

/* ---- The finding -------------------------------------------------------------------------------- */

static void add_fix(const other_input *o, exray_finding *f)
{
    const xr_shape_relation *r = &o->relation;
    if (is_batch(o))
        exray_finding_fix(f, "Give the model as many pictures in a run on both sides.");
    else if (r->kind == XR_SHAPE_PADDED && !o->picture)
        exray_finding_fix(f, "Pad alike on both sides, or on neither%s.",
                          o->ids ? ", and leave the padding out of the attention mask" : "");
    else if (r->kind == XR_SHAPE_PART || r->kind == XR_SHAPE_SPLIT)
        exray_finding_fix(f, "Give the model the whole input on the %s, too, or cut it alike on both sides.",
                          side_name[!r->larger]);
    else if (r->kind == XR_SHAPE_TRANSPOSED)
        exray_finding_fix(f,
                          "Write the tensor in the order of dimensions that the model reads, on both sides.");
    else if (o->picture)
        exray_finding_fix(f,
                          "Bring the picture to the same size in the same way on both sides (crop, padding, "
                          "resize).");
    else
        exray_finding_fix(f, "Give the model an input of the same shape on both sides.");
}

static void add_alternatives(const other_input *o, exray_finding *f)
{
    xr_shape_kind kind = o->relation.kind;
    if (o->picture && !is_batch(o) && kind != XR_SHAPE_RESIZED && kind != XR_SHAPE_TRANSPOSED)
        exray_finding_alternative(f, "input.crop", 0.3);
    if (o->picture && (kind == XR_SHAPE_RESIZED || kind == XR_SHAPE_UNRELATED))
        exray_finding_alternative(f, "input.resize", 0.3);
    if (kind == XR_SHAPE_TRANSPOSED)
        exray_finding_alternative(f, "input.layout", 0.3);
    if (o->ids)
        exray_finding_alternative(f, "input.tokens", 0.2);
}

/* "In each of them the edge's are 8, the reference's 12 to 20." */
static void add_lengths(const other_input *o, exray_finding *f)
{
    if (o->same_in_all || o->count < 2 || only_axis(&o->relation) == o->relation.rank)
        return;
    char text[2][48];
    for (int s = 0; s < 2; s++)
        if (o->least[s] == o->most[s])
            snprintf(text[s], sizeof text[s], "%" PRId64, o->most[s]);
        else
            snprintf(text[s], sizeof text[s], "%" PRId64 " to %" PRId64, o->least[s], o->most[s]);
    exray_finding_detail(f, "Over these frames the edge's %s are %s, the reference's %s.",
                         unit_of(o, only_axis(&o->relation)), text[0], text[1]);
}

static void add_evidence(const exray_comparison *c, const other_input *o, const char *names, exray_finding *f)
{
    static const char *const kinds[] = {"unknown",    "part",     "padded", "split",
                                        "transposed", "reshaped", "resized"};
    char list[256];
    xr_list_frames(c, o->differs, list, sizeof list);
    exray_finding_text(f, "edge_shape", o->shape[0]);
    exray_finding_text(f, "reference_shape", o->shape[1]);
    exray_finding_text(f, "relation", kinds[o->relation.kind]);
    exray_finding_text(f, "inputs", names);
    exray_finding_text(f, "frame_list", list);
    exray_finding_number(f, "frames", (double)exray_comparison_frame_count(c));
    exray_finding_number(f, "frames_other_shape", (double)o->count);
    xr_say_reading(c, o->differs, f);
}

static void say_frames(const exray_comparison *c, const other_input *o, char *text, size_t size)
{
    char list[256];
    size_t all = exray_comparison_frame_count(c);
    xr_list_frames(c, o->differs, list, sizeof list);
    if (o->count == all)
        snprintf(text, size, "In %s", all == 1 ? "the only frame" : "all frames");
    else
        snprintf(text, size, "In %zu of %zu frames (%s)", o->count, all, list);
}

/* Whether two inputs have the same shapes and differ in the same frames: one cause. */
static bool are_one(const other_input *a, const other_input *b, size_t frames)
{
    return memcmp(a->differs, b->differs, frames * sizeof *a->differs) == 0 &&
           strcmp(a->shape[0], b->shape[0]) == 0 && strcmp(a->shape[1], b->shape[1]) == 0;
}

/* What of several inputs with one cause tells most: masks and types hardly have other values than padding. */
static bool tells_more(const other_input *a, const other_input *b)
{
    static const int rank[] = {
        [XR_SHAPE_UNRELATED] = 0, [XR_SHAPE_PADDED] = 1, [XR_SHAPE_RESHAPED] = 2,  [XR_SHAPE_RESIZED] = 2,
        [XR_SHAPE_PART] = 3,      [XR_SHAPE_SPLIT] = 4,  [XR_SHAPE_TRANSPOSED] = 4};
    return rank[a->relation.kind] > rank[b->relation.kind];
}

/* What is known of the model's outputs in these frames. */
static void say_compared(const exray_comparison *c, const other_input *o, xr_padding_effect padding,
                         exray_finding *f)
{
    size_t padded = 0;
    for (size_t k = 0; k < exray_comparison_frame_count(c); k++)
        padded += o->differs[k] && exray_comparison_is_padded(c, k);
    if (padded == 0 || padding == XR_PADDING_NONE)
        exray_finding_detail(f, "What the model computes in these frames is not compared.");
    else if (padding == XR_PADDING_LEFT_OUT)
        exray_finding_detail(f, "The model leaves the padding out: its outputs of one shape are the same in "
                                "these frames, within noise.  Layers are not compared in them.");
    else if (padded == o->count)
        exray_finding_detail(f, "The rows differ by their padding alone, and the outputs beyond noise: the "
                                "model reads the padding.  Layers are not compared in these frames.");
    else
        exray_finding_detail(
            f,
            "In %zu of these frames the rows differ by their padding alone: there the outputs "
            "are compared, and differ beyond noise.",
            padded);
}

/* Of rows that are padded otherwise and mean the same there is nothing to mend. */
static void report(const exray_comparison *c, const other_input *o, const other_input *const *others,
                   size_t other_count, xr_padding_effect padding, exray_findings *findings)
{
    const bool harmless = padding == XR_PADDING_LEFT_OUT;
    char names[512], when[400], how[400] = "";
    sentence w = {names, sizeof names, 0}, r = {how, sizeof how, 0};
    put(&w, "%.100s", o->io->name[0]);
    for (size_t i = 0; i < other_count; i++)
        put(&w, "%s%.100s", i + 1 == other_count ? " and " : ", ", others[i]->io->name[0]);
    say_frames(c, o, when, sizeof when);
    put_relation(o, &r);
    exray_finding *f =
        exray_findings_add(findings, "input.shape", harmless ? EXRAY_SEVERITY_INFO : EXRAY_SEVERITY_ERROR,
                           o->relation.kind == XR_SHAPE_UNRELATED ? 0.9 : 0.98);
    exray_finding_where(f, "input", o->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    char example[80] = "";
    if (!o->same_in_all)
        snprintf(example, sizeof example, " (in frame %" PRIu64 ")",
                 exray_log_frame(exray_comparison_log(c, EXRAY_SIDE_EDGE),
                                 exray_comparison_frame(c, o->example).frame[0])
                     ->index);
    exray_finding_summary(f,
                          "%s the edge's input%s %s%s another shape than the reference's: %s for %s%s%s%s.",
                          when, other_count ? "s" : "", names, other_count ? " have" : " has", o->shape[0],
                          o->shape[1], example, *how ? "; " : "", how);
    for (size_t i = 0; i < other_count; i++) {
        char text[400] = "";
        sentence t = {text, sizeof text, 0};
        put_relation(others[i], &t);
        if (*text && o->relation.kind == others[i]->relation.kind && strcmp(text, how) != 0)
            exray_finding_detail(f, "Of %.100s %s.", others[i]->io->name[0], text);
    }
    add_lengths(o, f);
    if (o->io->other_shape == o->count && o->count < exray_comparison_frame_count(c))
        exray_finding_detail(f, "The other frames have one shape on both sides.");
    say_compared(c, o, padding, f);
    if (!harmless) {
        add_fix(o, f);
        add_alternatives(o, f);
    }
    add_evidence(c, o, names, f);
}

static void report_all(const exray_comparison *c, const other_input *list, size_t count,
                       xr_padding_effect padding, exray_findings *findings)
{
    bool told[MOST_INPUTS] = {false};
    for (size_t i = 0; i < count; i++) {
        const other_input *first = &list[i], *others[MOST_INPUTS];
        size_t other_count = 0;
        for (size_t k = i + 1; k < count && !told[i]; k++) {
            if (told[k] || !are_one(&list[i], &list[k], exray_comparison_frame_count(c)))
                continue;
            bool leads = tells_more(&list[k], first);
            others[other_count++] = leads ? first : &list[k];
            first = leads ? &list[k] : first;
            told[k] = true;
        }
        if (!told[i])
            report(c, first, others, other_count, padding, findings);
    }
}

/* Chooses the frames of an input that one finding is about.  False: out of memory. */
static bool choose_frames(const exray_comparison *c, size_t input, xr_padding_effect padding, bool left_out,
                          other_input *o)
{
    const size_t frames = exray_comparison_frame_count(c);
    *o = (other_input){.io = exray_comparison_input(c, input),
                       .differs = calloc(frames + 1, sizeof *o->differs)};
    for (size_t f = 0; o->differs && f < frames; f++) {
        const bool harmless = padding == XR_PADDING_LEFT_OUT && exray_comparison_is_padded(c, f);
        o->differs[f] = !exray_comparison_same_shape(c, f, EXRAY_KIND_INPUT, input) && harmless == left_out;
        o->count += o->differs[f];
    }
    return o->differs != NULL;
}

/* Reports the frames that differ by a padding that is left out, or the others. */
static exray_status report_some(const exray_comparison *comparison, const bool *told,
                                xr_padding_effect padding, bool left_out, exray_slot *const slot[2],
                                exray_findings *findings)
{
    other_input list[MOST_INPUTS] = {{0}};
    size_t count = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < exray_comparison_input_count(comparison) && count < MOST_INPUTS; i++) {
        other_input *o = &list[count];
        if (exray_comparison_input(comparison, i)->other_shape == 0 || told[i])
            continue;
        ok = choose_frames(comparison, i, padding, left_out, o);
        if (!ok || o->count == 0) {
            free(o->differs);
            continue;
        }
        relate(comparison, o, slot);
        count++;
    }
    if (ok)
        report_all(comparison, list, count,
                   left_out || padding != XR_PADDING_LEFT_OUT ? padding : XR_PADDING_NONE, findings);
    for (size_t i = 0; i < count; i++)
        free(list[i].differs);
    return ok ? EXRAY_OK : EXRAY_E_MEMORY;
}

exray_status xr_report_shapes(const exray_comparison *comparison, xr_padding_effect padding, const bool *told,
                              exray_findings *findings)
{
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    exray_status status =
        slot[0] && slot[1] ? report_some(comparison, told, padding, false, slot, findings) : EXRAY_E_MEMORY;
    if (status == EXRAY_OK && padding == XR_PADDING_LEFT_OUT)
        status = report_some(comparison, told, padding, true, slot, findings);
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return status;
}
