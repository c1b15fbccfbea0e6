/* model.state: what the model remembers of the frames before is another on the two sides: not carried, reset
 * elsewhere, or of frames that one side did not see. */
#include "checks/builtin.h"
#include "checks/input/frames/frame_list.h"
#include "checks/input/frames/frame_words.h"
#include "checks/layer/value_evidence.h"
#include "checks/model/state/history_report.h"
#include "checks/model/state/loops.h"
#include "checks/model/state/memory_reads.h"
#include "checks/model/state/recorded.h"
#include "checks/model/state/stateful.h"
#include "checks/model/state/unseen.h"
#include "checks/perf/setup.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const side_name[2] = {"edge", "reference"};

/* ---- Frames ------------------------------------------------------------------------------------- */

static const exray_frame *frame_of(const exray_comparison *c, exray_side side, size_t matched)
{
    return exray_log_frame(exray_comparison_log(c, side), exray_comparison_frame(c, matched).frame[side]);
}

/* Frames that a side has between matched frame `f` and the one before it. */
static size_t frames_between(const exray_comparison *c, exray_side side, size_t f)
{
    size_t now = exray_comparison_frame(c, f).frame[side],
           before = exray_comparison_frame(c, f - 1).frame[side];
    return now > before ? now - before - 1 : 0;
}

/* The side that did not see what the other did just before matched frame f; 2: none. */
static int missed_by(const exray_comparison *c, size_t f)
{
    size_t e = f ? frames_between(c, EXRAY_SIDE_EDGE, f) : 0,
           r = f ? frames_between(c, EXRAY_SIDE_REFERENCE, f) : 0;
    return e < r ? 0 : r < e ? 1 : 2;
}

/* The same, looking back from the first frame that differs as far as that may show late: outputs of 8 bits
 * may be equal by chance.  *f: the frame behind the gap. */
static int missed_before(const exray_comparison *c, size_t *f)
{
    enum { LOOK_BACK = 32 };
    bool coarse = exray_comparison_output_count(c) > 0;
    for (size_t o = 0; o < exray_comparison_output_count(c); o++)
        coarse = coarse && exray_comparison_output(c, o)->step[EXRAY_SIDE_EDGE] > 0;
    for (size_t back = 0; back <= (coarse ? LOOK_BACK : 0) && back < *f; back++) {
        int side = missed_by(c, *f - back);
        if (side < 2) {
            *f -= back;
            return side;
        }
    }
    return 2;
}

/* "frames 38 to 42": what the other side has before matched frame f. */
static void say_missed(const exray_comparison *c, int side, size_t f, char *text, size_t size)
{
    exray_side other = side ? EXRAY_SIDE_EDGE : EXRAY_SIDE_REFERENCE;
    size_t last = exray_comparison_frame(c, f).frame[other] - 1, count = frames_between(c, other, f);
    const exray_log *log = exray_comparison_log(c, other);
    uint64_t from = exray_log_frame(log, last + 1 - count)->index, to = exray_log_frame(log, last)->index;
    if (count == 1)
        snprintf(text, size, "frame %" PRIu64, from);
    else
        snprintf(text, size, "frames %" PRIu64 " to %" PRIu64, from, to);
}

static exray_finding *begin(const char *tensor, double confidence, exray_findings *findings)
{
    exray_finding *f = exray_findings_add(findings, "model.state", EXRAY_SEVERITY_ERROR, confidence);
    exray_finding_where(f, "model", tensor, EXRAY_NO_INDEX);
    return f;
}

static void report_missed(const exray_comparison *c, int side, size_t frame, const char *tensor,
                          const char *what, exray_findings *findings)
{
    char missed[80];
    say_missed(c, side, frame, missed, sizeof missed);
    exray_finding *f = begin(tensor, 0.95, findings);
    exray_finding_summary(f,
                          "The %s's model did not see %s, which the %s's did: from frame %" PRIu64
                          " on its state (%.100s) is another.",
                          side_name[side], missed, side_name[!side],
                          frame_of(c, EXRAY_SIDE_EDGE, frame)->index, what);
    exray_finding_fix(
        f, "Run the model on every frame on both sides, or reset its state where frames are left out.");
    exray_finding_text(f, "missed", missed);
    exray_finding_text(f, "kind", "missed");
    exray_finding_number(f, "first_frame", (double)frame_of(c, EXRAY_SIDE_EDGE, frame)->index);
}

/* ---- A state in the application's hands ------------------------------------------------------------ */

static xr_link link_in(const exray_comparison *c, const xr_loop *loop, int side, size_t matched)
{
    return (xr_link)loop->link[side][exray_comparison_frame(c, matched).frame[side]];
}

/* Matched frames in which a side carries the state on and the other does not. */
typedef struct breaks {
    bool *in; /* [frames] those in which this side does not, and the other does */
    size_t count, known, of[XR_LINK_OTHER + 1]; /* how many of each xr_link */
} breaks;

static void find_breaks(const exray_comparison *c, const xr_loop *loop, int side, breaks *out)
{
    for (size_t f = 0; f < exray_comparison_frame_count(c); f++) {
        xr_link mine = link_in(c, loop, side, f), other = link_in(c, loop, !side, f);
        out->known += mine != XR_LINK_UNKNOWN && other != XR_LINK_UNKNOWN;
        out->in[f] = mine != XR_LINK_UNKNOWN && mine != XR_LINK_CARRIED && other == XR_LINK_CARRIED;
        out->count += out->in[f];
        out->of[mine] += out->in[f];
    }
}

/* "its input h", or the part of it that is the state. */
static const char *name_state(const exray_comparison *c, const xr_loop *loop, int side, char text[160])
{
    const char *name = exray_comparison_input(c, loop->input)->name[side];
    if (loop->output == SIZE_MAX)
        snprintf(text, 160, "the first %" PRIu64 " of the %" PRIu64 " values of its input %.80s",
                 loop->overlap, loop->size, name);
    else
        snprintf(text, 160, "its input %.100s", name);
    return text;
}

static const char *name_origin(const exray_comparison *c, const xr_loop *loop, int side, char text[160])
{
    if (loop->output == SIZE_MAX)
        snprintf(text, 160, "the last %" PRIu64 " values", loop->overlap);
    else
        snprintf(text, 160, "the output %.100s", exray_comparison_output(c, loop->output)->name[side]);
    return text;
}

/* What the state is where it is not carried on, in the words of a finding. */
typedef struct break_words {
    const char *does, *kind;
    char what[200];
} break_words;

static void word_breaks(const breaks *b, bool never, const char *origin, break_words *w)
{
    *w = (break_words){"replaces", "replaced", "something else"};
    if (b->of[XR_LINK_ZEROS] == b->count) {
        *w = (break_words){"resets", "reset", "zeros"};
    } else if (b->of[XR_LINK_KEPT] == b->count) {
        *w = (break_words){"does not update", "kept", "what it was in the frame before"};
    } else if (b->of[XR_LINK_EARLIER] == b->count) {
        *w = (break_words){"hands on an older one of", "older", ""};
        snprintf(w->what, sizeof w->what, "%.160s of two frames before", origin);
    }
    if (never && strcmp(w->kind, "older") != 0)
        w->kind = "not_carried";
}

static void report_breaks(const exray_comparison *c, const xr_loop *loop, int side, const breaks *b,
                          const char *names, exray_findings *findings)
{
    char list[256], state[160], origin[160];
    xr_list_frames(c, b->in, list, sizeof list);
    name_state(c, loop, side, state);
    name_origin(c, loop, !side, origin);
    exray_finding *f = begin(exray_comparison_input(c, loop->input)->name[0], 0.97, findings);
    bool never = b->count > 1 && b->count == b->known;
    const char *is = loop->output == SIZE_MAX ? "are" : "is",
               *they = loop->output == SIZE_MAX ? "they" : "it";
    break_words words;
    word_breaks(b, never, origin, &words);
    if (never)
        exray_finding_summary(
            f,
            "The %s does not carry the model's state on: %s %s %s in every frame; on the %s %s %s "
            "%s of the frame before.",
            side_name[side], state, is, words.what, side_name[!side], they, is, origin);
    else
        exray_finding_summary(
            f,
            "The %s %s the model's state in %s: there %s %s %s; the %s carries it on, as %s of the "
            "frame before.",
            side_name[side], words.does, list, state, is, words.what, side_name[!side], origin);
    exray_finding_detail(
        f, "Which side is right the logs do not say: a state is reset where a recording begins, and "
           "carried on within it.");
    exray_finding_fix(
        f, "Feed the state with %s of the frame before on both sides, and reset it at the same frames.",
        origin);
    exray_finding_text(f, "kind", words.kind);
    exray_finding_text(f, "states", names);
    exray_finding_text(f, "frame_list", list);
    exray_finding_number(f, "frames", (double)b->count);
    xr_say_reading(c, b->in, f);
}

/* The first matched frame in which the inputs of a loop differ, or SIZE_MAX. */
static exray_status first_difference(const exray_comparison *c, size_t input, size_t *first,
                                     exray_error *error)
{
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    exray_status status = slot[0] && slot[1] ? EXRAY_OK : EXRAY_E_MEMORY;
    *first = SIZE_MAX;
    for (size_t f = 0; status == EXRAY_OK && *first == SIZE_MAX && f < exray_comparison_frame_count(c); f++) {
        exray_tensor_view view[2];
        const float *v[2];
        bool both = true;
        for (int s = 0; s < 2 && both; s++)
            both = exray_comparison_values(c, (exray_side)s, f, EXRAY_KIND_INPUT, input, slot[s], &view[s],
                                           &v[s], error) == EXRAY_OK;
        if (both && (view[0].count != view[1].count || memcmp(v[0], v[1], view[0].count * sizeof **v) != 0))
            *first = f;
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    if (status != EXRAY_OK)
        *error = (exray_error){status, "out of memory while comparing the model's states"};
    return status;
}

static void report_begin(const exray_comparison *c, const xr_loop *loop, const char *names,
                         exray_findings *findings)
{
    char state[160], origin[160];
    exray_finding *f = begin(exray_comparison_input(c, loop->input)->name[0], 0.9, findings);
    exray_finding_summary(f,
                          "The two sides begin with other states: in the first frame, %" PRIu64
                          ", %s %s; in the others the state is %s of the frame before.",
                          frame_of(c, EXRAY_SIDE_EDGE, 0)->index, name_state(c, loop, 0, state),
                          loop->output == SIZE_MAX ? "differ" : "differs", name_origin(c, loop, 0, origin));
    exray_finding_fix(f, "Reset the state where a recording begins, on both sides.");
    exray_finding_text(f, "kind", "begin");
    exray_finding_text(f, "states", names);
}

/* Value for value, in all frames that were compared. */
static bool is_equal(const exray_io_pair *input)
{
    return input->comparable && !input->other_shape && input->metrics.max_abs == 0;
}

/* Whether what is no state is equal on both sides. */
static bool other_inputs_are_equal(const exray_comparison *c, const xr_loops *loops)
{
    for (size_t i = 0; i < exray_comparison_input_count(c); i++) {
        if (!xr_is_looped(loops, i) && !is_equal(exray_comparison_input(c, i)))
            return false;
    }
    return true;
}

static void say_unseen(const exray_comparison *c, const xr_loop *loop, const xr_unseen *u, const char *names,
                       exray_findings *findings)
{
    char list[256], state[160];
    xr_list_frames(c, u->zeros < 2 ? u->reset : u->in, list, sizeof list);
    exray_finding *f = begin(exray_comparison_input(c, loop->input)->name[0], 0.9, findings);
    if (u->zeros < 2)
        exray_finding_summary(
            f,
            "The %s resets the model's state: in %s, where what the frame before left was not recorded, %s "
            "%s zeros; the %s's is not.",
            side_name[u->zeros], list, name_state(c, loop, u->zeros, state),
            loop->output == SIZE_MAX ? "are" : "is", side_name[!u->zeros]);
    else
        exray_finding_summary(
            f,
            "The two sides' states are others from frame %" PRIu64
            " on (%s): what came just before was not recorded on both sides, and the other inputs are "
            "equal in all frames that were.",
            frame_of(c, EXRAY_SIDE_EDGE, u->first)->index, name_state(c, loop, 0, state));
    xr_list_frames(c, u->in, list, sizeof list);
    exray_finding_detail(f, "The states differ in %s.", list);
    exray_finding_fix(f,
                      "Reset the state at the same frames on both sides, and run the model on every frame. "
                      "Record inputs and outputs of every frame to see where they part.");
    exray_finding_text(f, "kind", u->zeros < 2 ? "reset" : "unseen");
    exray_finding_text(f, "states", names);
    exray_finding_text(f, "frame_list", list);
    exray_finding_number(f, "first_frame", (double)frame_of(c, EXRAY_SIDE_EDGE, u->first)->index);
    exray_finding_number(f, "frames", (double)u->count);
}

static exray_status report_unseen(const exray_comparison *c, const xr_loops *loops, const xr_loop *loop,
                                  const char *names, exray_findings *findings, exray_error *error)
{
    xr_unseen unseen;
    if (!other_inputs_are_equal(c, loops))
        return EXRAY_OK;
    bool ok = xr_unseen_find(c, loop, &unseen);
    if (ok && unseen.count)
        say_unseen(c, loop, &unseen, names, findings);
    xr_unseen_free(&unseen);
    if (!ok)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing the model's states"};
    return ok ? EXRAY_OK : EXRAY_E_MEMORY;
}

/* The names of the states that this side does not carry on where the other does (side 2: of all).  false: out
 * of memory. */
static bool name_states(const exray_comparison *c, const xr_loops *loops, int side, char *names, size_t size)
{
    const size_t frames = exray_comparison_frame_count(c);
    size_t used = 0;
    names[0] = '\0';
    for (size_t i = 0; i < loops->count && used < size; i++) {
        breaks b = {.in = side < 2 ? calloc(frames + 1, sizeof *b.in) : NULL};
        if (side < 2 && !b.in)
            return false;
        if (side < 2)
            find_breaks(c, &loops->loop[i], side, &b);
        free(b.in);
        if (side == 2 || b.count)
            used += (size_t)snprintf(names + used, size - used, "%s%.60s", used ? ", " : "",
                                     exray_comparison_input(c, loops->loop[i].input)->name[0]);
    }
    return true;
}

/* Judges the loops together: their first breaks are one cause. */
static exray_status judge_loops(const exray_comparison *c, const xr_loops *loops, exray_findings *findings,
                                exray_error *error)
{
    size_t frames = exray_comparison_frame_count(c), first;
    char names[256];
    for (size_t i = 0; i < loops->count; i++)
        for (int side = 0; side < 2 && !loops->more[i]; side++) {
            breaks b = {.in = calloc(frames + 1, sizeof *b.in)};
            if (!b.in) {
                *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing the model's states"};
                return EXRAY_E_MEMORY;
            }
            find_breaks(c, &loops->loop[i], side, &b);
            const bool named = b.count && name_states(c, loops, side, names, sizeof names);
            if (named)
                report_breaks(c, &loops->loop[i], side, &b, names, findings);
            free(b.in);
            if (b.count && !named)
                *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing the model's states"};
            if (b.count)
                return named ? EXRAY_OK : EXRAY_E_MEMORY;
        }
    size_t lead = 0;
    while (lead < loops->count && loops->more[lead])
        lead++;
    if (lead == loops->count)
        return EXRAY_OK; /* the inputs differ in more than a state: a fault of theirs is carried on */
    const xr_loop *loop = &loops->loop[lead];
    name_states(c, loops, 2, names, sizeof names);
    exray_status status = first_difference(c, loop->input, &first, error);
    if (status != EXRAY_OK || first == SIZE_MAX)
        return status;
    int side = missed_by(c, first);
    if (side < 2)
        report_missed(c, side, first, exray_comparison_input(c, loop->input)->name[0], names, findings);
    else if (first == 0)
        report_begin(c, loop, names, findings);
    else /* or an earlier difference is carried on */
        status = report_unseen(c, loops, loop, names, findings, error);
    return status;
}

/* ---- A state within the model ------------------------------------------------------------------------ */

/* Whether both sides compute to the last bit alike: file, engine, kernels, threads and processor. */
static bool is_same_setup(const exray_comparison *c)
{
    const exray_model *e = exray_log_model(exray_comparison_log(c, EXRAY_SIDE_EDGE));
    const exray_model *r = exray_log_model(exray_comparison_log(c, EXRAY_SIDE_REFERENCE));
    return xr_is_same_file(c) && xr_is_same_runtime(e, r) && xr_is_same_processor(c);
}

/* Whether the model was given the same in all frames, value for value; partly: in all that were recorded. */
static bool inputs_are_equal(const exray_comparison *c, bool partly)
{
    const exray_model *model = exray_log_model(exray_comparison_log(c, EXRAY_SIDE_EDGE));
    size_t count = exray_comparison_input_count(c);
    for (size_t i = 0; i < count; i++) {
        const exray_io_pair *io = exray_comparison_input(c, i);
        if (!is_equal(io) || (!partly && io->frames < exray_comparison_frame_count(c)))
            return false;
    }
    return count > 0 && model && count == model->input_count;
}

/* Which matched frames have other outputs, beyond noise or (exact) at all. */
static exray_status compare_outputs(const exray_comparison *c, bool exact, bool *differs, exray_error *error)
{
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    exray_status status = slot[0] && slot[1] ? EXRAY_OK : EXRAY_E_MEMORY;
    for (size_t o = 0; status == EXRAY_OK && o < exray_comparison_output_count(c); o++) {
        const exray_io_pair *io = exray_comparison_output(c, o);
        /* Other arithmetic: a level or two, or noise; and the outputs together must be beyond noise. */
        if (!exact && !(io->error > io->noise))
            continue;
        double step = fmax(isnan(io->step[0]) ? 0 : io->step[0], isnan(io->step[1]) ? 0 : io->step[1]);
        double allowed = exact ? 0 : fmax(io->noise * io->metrics.std[EXRAY_SIDE_REFERENCE], 2 * step);
        for (size_t f = 0; f < exray_comparison_frame_count(c); f++) {
            exray_tensor_view view[2];
            const float *v[2];
            double sum = 0;
            bool both = true;
            for (int s = 0; s < 2 && both; s++)
                both = exray_comparison_values(c, (exray_side)s, f, EXRAY_KIND_OUTPUT, o, slot[s], &view[s],
                                               &v[s], error) == EXRAY_OK;
            if (!both || view[0].count != view[1].count || view[0].count == 0)
                continue;
            for (uint64_t i = 0; i < view[0].count; i++) {
                double d = (double)v[0][i] - (double)v[1][i];
                sum += v[0][i] == v[1][i] ? 0 : d * d;
            }
            differs[f] = differs[f] || !(sqrt(sum / (double)view[0].count) <= allowed);
        }
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    if (status != EXRAY_OK)
        *error = (exray_error){status, "out of memory while comparing the model's states"};
    return status;
}

/* The node's name, or its operator. */
static const char *name_of(const exray_model *model, uint32_t node)
{
    const char *name = exray_node_name(model, node);
    return name && *name ? name : model->nodes[node].op ? model->nodes[node].op : "";
}

static bool is_any(const bool *differs, size_t frames)
{
    return memchr(differs, true, frames * sizeof *differs) != NULL;
}

/* Likewise; where the outputs agree, frames in which another state is read.  *by_reads: it is they. */
static exray_status compare_states(const exray_comparison *c, bool exact, bool *differs, bool *by_reads,
                                   exray_error *error)
{
    const size_t frames = exray_comparison_frame_count(c);
    exray_status status = compare_outputs(c, exact, differs, error);
    if (status != EXRAY_OK || is_any(differs, frames) || !xr_memory_reads_differ(c, exact))
        return status;
    *by_reads = true;
    if (xr_memory_reads_find(c, exact, differs))
        return EXRAY_OK;
    *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing the model's states"};
    return EXRAY_E_MEMORY;
}

/* Of how many matched frames an input was not recorded on both sides. */
static size_t unrecorded(const exray_comparison *c)
{
    size_t least = exray_comparison_frame_count(c);
    const size_t frames = least;
    for (size_t i = 0; i < exray_comparison_input_count(c); i++)
        least = exray_comparison_input(c, i)->frames < least ? exray_comparison_input(c, i)->frames : least;
    return frames - least;
}

/* Of outputs that agree, layers that read what is remembered show another memory. */
static void say_reads(const exray_comparison *c, const char *op, size_t first, const char *list,
                      exray_finding *f)
{
    const uint64_t number = frame_of(c, EXRAY_SIDE_EDGE, first)->index;
    if (first == 0)
        exray_finding_summary(
            f,
            "The two sides begin with other states: of equal inputs the model (%.60s) reads "
            "another state from the first frame on, though its outputs agree; one side was "
            "not reset at the start.",
            op);
    else
        exray_finding_summary(
            f,
            "What the model remembers (%.60s) is the same on both sides up to frame %" PRIu64
            ", another from frame %" PRIu64
            " on, of equal inputs: one side was reset there, or carried on where the other "
            "was reset. The outputs agree in these frames.",
            op, frame_of(c, EXRAY_SIDE_EDGE, first - 1)->index, number);
    exray_finding_detail(f, "Layers that read the state differ: %s.", list);
}

/* differs: in their outputs or, by_reads, in what their layers read of a state. */
static void report_inner(const exray_comparison *c, const exray_model *model, uint32_t node,
                         const bool *differs, bool by_reads, bool exact, exray_findings *findings)
{
    size_t frames = exray_comparison_frame_count(c), first = 0, count = 0;
    while (first < frames && !differs[first])
        first++;
    for (size_t f = first; f < frames; f++)
        count += differs[f];
    /* One frame alone tells nothing of what came before it; where arithmetic differs, nothing at all. */
    if (first == frames || (first == 0 && (!exact || frames < 2)))
        return;
    size_t gap = first;
    int side = missed_before(c, &gap);
    char list[256];
    const char *op = model->nodes[node].op ? model->nodes[node].op : "";
    xr_list_frames(c, differs, list, sizeof list);
    if (side < 2) {
        report_missed(c, side, gap, name_of(model, node), op, findings);
        return;
    }
    uint64_t number = frame_of(c, EXRAY_SIDE_EDGE, first)->index;
    const size_t lacking = unrecorded(c);
    exray_finding *f = begin(name_of(model, node), exact && !lacking ? 0.95 : 0.8, findings);
    if (by_reads)
        say_reads(c, op, first, list, f);
    else if (lacking)
        exray_finding_summary(f,
                              "The model keeps a state (%.60s), and of equal inputs the two sides make other "
                              "outputs, the first "
                              "time in frame %" PRIu64 ": what it remembers of the frames before is another.",
                              op, number);
    else if (first == 0)
        exray_finding_summary(
            f,
            "The two sides begin with other states: of equal inputs the model, which keeps a state "
            "(%.60s), makes other outputs from the first frame on; one side was not reset at the "
            "start.",
            op);
    else if (count * 10 >= (frames - 1) * 9 && first == 1)
        exray_finding_summary(
            f,
            "The model keeps a state (%.60s), and of equal inputs the two sides make equal outputs "
            "in the first frame, others in %zu of %zu later ones: one side carries the state on, the other "
            "is reset before every frame.",
            op, count, frames - 1);
    else
        exray_finding_summary(
            f,
            "The model keeps a state (%.60s), and of equal inputs the two sides make equal outputs "
            "up to frame %" PRIu64 ", others from frame %" PRIu64
            " on: one side was reset there, or carried on where the other was reset.",
            op, frame_of(c, EXRAY_SIDE_EDGE, first - 1)->index, number);
    if (!by_reads)
        exray_finding_detail(f, "Other outputs: %s.", list);
    if (lacking)
        exray_finding_detail(
            f,
            "%zu of %zu frames have no recorded input on one side at least: there it may have "
            "been given something else, or not run.",
            lacking, frames);
    else if (first && first < 4)
        exray_finding_detail(f,
                             "The two sides may also have begun with other states, which showed only then.");
    exray_finding_detail(
        f, "Which side is right the logs do not say; a replay of one side's inputs, reset where a "
           "recording begins, would.");
    exray_finding_fix(f,
                      "Reset the model's state at the same frames on both sides: where a recording begins.");
    exray_finding_text(f, "kind", first == 0 ? "begin" : "reset");
    exray_finding_text(f, "frame_list", list);
    exray_finding_number(f, "first_frame", (double)number);
    exray_finding_number(f, "frames", (double)count);
}

/* Recorded states tell which side was reset, and where. */
static void report_resets(const exray_comparison *c, int side, const xr_state_resets *r,
                          exray_findings *findings)
{
    char list[256];
    xr_list_frames(c, r->in[side], list, sizeof list);
    bool never = r->count[side] > 1 && r->count[side] + 1 >= r->compared;
    bool start = r->count[side] == 1 && r->in[side][0];
    exray_finding *f = begin(r->name, 0.98, findings);
    if (never)
        exray_finding_summary(
            f,
            "The %s's model is reset before every frame: its state %.100s is zeros in %s, where the "
            "%s carries it on.",
            side_name[side], r->name, list, side_name[!side]);
    else if (start)
        exray_finding_summary(
            f,
            "The %s was not reset at the start: in the first frame its state %.100s is not zeros, as "
            "the %s's is.",
            side_name[!side], r->name, side_name[side]);
    else
        exray_finding_summary(
            f, "The %s's model is reset in %s: there its state %.100s is zeros; the %s carries it on.",
            side_name[side], list, r->name, side_name[!side]);
    exray_finding_fix(f,
                      "Reset the model's state at the same frames on both sides: where a recording begins.");
    exray_finding_text(f, "kind", start ? "begin" : never ? "not_carried" : "reset");
    exray_finding_text(f, "frame_list", list);
    exray_finding_number(f, "frames", (double)r->count[side]);
    xr_say_reading(c, r->in[side], f);
}

/* *told: recorded states show a reset. */
static exray_status judge_recorded(const exray_comparison *c, bool *told, exray_findings *findings,
                                   exray_error *error)
{
    xr_state_resets resets;
    bool ok = xr_find_state_resets(c, &resets);
    *told = ok && resets.name;
    for (int side = 0; *told && side < 2; side++)
        if (resets.count[side])
            report_resets(c, side, &resets, findings);
    xr_state_resets_free(&resets);
    if (!ok)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing the model's states"};
    return ok ? EXRAY_OK : EXRAY_E_MEMORY;
}

/* Whether any output differs at all. */
static bool outputs_differ(const exray_comparison *c)
{
    for (size_t o = 0; o < exray_comparison_output_count(c); o++) {
        const exray_io_pair *io = exray_comparison_output(c, o);
        if (io->comparable && io->metrics.max_abs != 0)
            return true;
    }
    return false;
}

static size_t count_findings(const exray_findings *findings)
{
    size_t count = 0;
    for (const exray_finding *f = findings->first; f; f = f->next)
        count += strcmp(f->cause, "model.state") == 0;
    return count;
}

/* What the runs say is added to what the logs alone have proven; where they proved nothing, it stands alone.
 */
static void add_histories(const exray_comparison *c, const xr_histories *histories, size_t before,
                          const char *tensor, const char *op, exray_findings *findings)
{
    if (!histories)
        return;
    if (count_findings(findings) == before) {
        if (xr_histories_differ(c, histories))
            xr_history_report(c, histories, tensor, op, findings);
        return;
    }
    for (exray_finding *f = findings->first; f; f = f->next)
        if (strcmp(f->cause, "model.state") == 0)
            xr_history_explain(c, histories, f);
}

/* Whether the logs alone can tell of a state within the model: the same was computed of the same inputs. */
static bool is_comparable(const exray_comparison *c, bool exact)
{
    /* Where not the last bit may differ, another output alone shows another memory. */
    return exray_log_model(exray_comparison_log(c, EXRAY_SIDE_REFERENCE)) && xr_is_same_file(c) &&
           inputs_are_equal(c, exact);
}

static exray_status judge_inner(const exray_comparison *c, const xr_loops *loops, exray_findings *findings,
                                exray_error *error)
{
    const exray_model *model = exray_log_model(exray_comparison_log(c, EXRAY_SIDE_EDGE));
    uint32_t node = xr_first_stateful(model);
    size_t frames = exray_comparison_frame_count(c), before = count_findings(findings);
    const bool outputs = outputs_differ(c), exact = is_same_setup(c);
    if (node == EXRAY_NO_INDEX || frames < 2 || (!outputs && !xr_memory_reads_differ(c, exact)))
        return EXRAY_OK;
    /* Of equal outputs runs tell nothing. */
    const xr_histories *histories = outputs ? xr_histories_get(c, loops, findings) : NULL;
    if (histories && xr_histories_differ(c, histories)) {
        add_histories(c, histories, before, name_of(model, node), model->nodes[node].op, findings);
        return EXRAY_OK;
    }
    /* Of one and the same memory, frames that one side lacks may still be the reason; arithmetic may be, too.
     */
    const bool same = histories && histories->side[0].known && histories->side[1].known;
    if (!is_comparable(c, exact) || (same && !(histories->side[0].exact && histories->side[1].exact)))
        return EXRAY_OK;
    bool *differs = calloc(frames + 1, sizeof *differs), by_reads = false;
    exray_status status = EXRAY_E_MEMORY;
    if (differs)
        status = compare_states(c, exact, differs, &by_reads, error);
    else
        *error = (exray_error){status, "out of memory while comparing the model's states"};
    if (status == EXRAY_OK)
        report_inner(c, model, node, differs, by_reads, exact, findings);
    free(differs);
    if (status == EXRAY_OK)
        add_histories(c, histories, before, NULL, NULL, findings);
    return status;
}

/* Whether a loop is through an output: of those alone a run tells more. */
static bool has_outputs(const xr_loops *loops)
{
    for (size_t i = 0; i < loops->count; i++)
        if (loops->loop[i].output != SIZE_MAX)
            return true;
    return false;
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    const xr_loops *loops = xr_loops_get(comparison, findings);
    if (!loops) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing the model's states"};
        return EXRAY_E_MEMORY;
    }
    exray_status status;
    bool told = false;
    if (loops->count) {
        const size_t before = count_findings(findings);
        status = judge_loops(comparison, loops, findings, error);
        if (status == EXRAY_OK && has_outputs(loops))
            add_histories(comparison, xr_histories_get(comparison, loops, findings), before,
                          exray_comparison_input(comparison, loops->loop[0].input)->name[0], NULL, findings);
        return status;
    }
    status = judge_recorded(comparison, &told, findings, error);
    if (status == EXRAY_OK && told && outputs_differ(comparison))
        add_histories(comparison, xr_histories_get(comparison, loops, findings), 0, NULL, NULL, findings);
    return status != EXRAY_OK || told ? status : judge_inner(comparison, loops, findings, error);
}

static const char *const causes[] = {"model.state", NULL};

const exray_assertion xr_assertion_model_state = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "model.state",
    .summary = "what the model remembers from frame to frame is the same on both sides",
    .causes = causes,
    .needs = "/input and /output of both logs, with data; /model for states within the model",
    .run = run,
};
