#include "checks/model/state/history_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const side_name[2] = {"edge", "reference"};
static const char *const history_key[2] = {"edge_state", "reference_state"};

/* The side whose memory is not simply carried on; the edge's where neither's or both sides' is. */
static exray_side odd_side(const xr_histories *s)
{
    const bool plain[2] = {!s->side[0].every && !s->side[0].count, !s->side[1].every && !s->side[1].count};
    return plain[0] && !plain[1] ? EXRAY_SIDE_REFERENCE : EXRAY_SIDE_EDGE;
}

static const char *kind_of(const xr_history *s)
{
    static const char *const kinds[] = {[XR_DEVIATION_RESET] = "reset", [XR_DEVIATION_MISSED] = "missed",
                                        [XR_DEVIATION_LATE] = "late",   [XR_DEVIATION_EMPTY] = "late",
                                        [XR_DEVIATION_TWICE] = "twice", [XR_DEVIATION_UNLOGGED] = "unlogged",
                                        [XR_DEVIATION_WARM] = "begin",  [XR_DEVIATION_BEGIN] = "begin"};
    return s->every ? "not_carried" : s->count ? kinds[s->deviation[0].kind] : "carried";
}

static const char *how_equal(const xr_history *s)
{
    return s->exact ? "bit for bit" : "within noise";
}

static void put_evidence(const exray_comparison *c, const xr_histories *histories, exray_finding *f)
{
    for (int s = 0; s < 2; s++) {
        char words[400];
        if (!histories->side[s].known)
            continue;
        xr_history_words(c, (exray_side)s, &histories->side[s], words, sizeof words);
        exray_finding_text(f, history_key[s], words);
        exray_finding_text(f, "rerun_engine", histories->side[s].engine);
        exray_finding_text(f, "rerun_equal", how_equal(&histories->side[s]));
        exray_finding_number(f, "rerun_frames", (double)histories->side[s].frames);
    }
    exray_finding_number(f, "reruns", (double)(histories->side[0].runs + histories->side[1].runs));
}

/* What the application itself told of a reset there. */
static void add_event(const exray_comparison *c, exray_side side, const xr_history *history, exray_finding *f)
{
    const exray_log *log = exray_comparison_log(c, side);
    for (size_t i = 0; i < exray_log_event_count(log); i++) {
        const exray_event *event = exray_log_event(log, i);
        for (size_t k = 0; event->kind == EXRAY_EVENT_RESET && event->has_frame && k < history->count; k++) {
            const xr_deviation *deviation = &history->deviation[k];
            if (deviation->kind != XR_DEVIATION_RESET ||
                event->frame < xr_history_frame(c, side, deviation->first) ||
                event->frame > xr_history_frame(c, side, deviation->at))
                continue;
            exray_finding_detail(f, "The %s's log has an event of kind reset at frame %" PRIu64 ": %.100s.",
                                 side_name[side], event->frame,
                                 event->text && *event->text ? event->text : "without a text");
            return;
        }
    }
}

/* A replay's memory is known: it is reset where a recording begins, and at events. */
static bool is_replay(const exray_comparison *c, exray_side side)
{
    const char *of = exray_log_metadata(exray_comparison_log(c, side), "replay_of");
    return of && *of;
}

static void advise(const exray_comparison *c, const xr_histories *histories, exray_finding *f)
{
    const exray_side odd = odd_side(histories);
    const xr_deviation_kind first =
        histories->side[odd].count ? histories->side[odd].deviation[0].kind : XR_DEVIATION_RESET;
    if (is_replay(c, EXRAY_SIDE_REFERENCE) && odd == EXRAY_SIDE_EDGE)
        exray_finding_detail(f,
                             "The reference is a replay, which carries the state on, and resets it where a "
                             "recording begins and at events of kind reset.");
    else
        exray_finding_detail(f, "Which side is right the logs do not say: a state is reset where a recording "
                                "begins, and carried on within it.");
    if (first == XR_DEVIATION_MISSED || first == XR_DEVIATION_UNLOGGED)
        exray_finding_fix(f,
                          "Run the model on every frame on both sides, or reset its state where frames are "
                          "left out.");
    else if (first == XR_DEVIATION_LATE || first == XR_DEVIATION_EMPTY)
        exray_finding_fix(f, "Hand the model each frame's own input before it is run.");
    else if (first == XR_DEVIATION_TWICE)
        exray_finding_fix(f, "Run the model once on each frame.");
    else
        exray_finding_fix(
            f, "Reset the model's state at the same frames on both sides: where a recording begins.");
}

void xr_history_report(const exray_comparison *comparison, const xr_histories *histories, const char *tensor,
                       const char *op, exray_findings *findings)
{
    const exray_side odd = odd_side(histories);
    const xr_history *s = &histories->side[odd], *other = &histories->side[!odd];
    char words[2][400];
    exray_finding *f = exray_findings_add(findings, "model.state", EXRAY_SEVERITY_ERROR,
                                          s->exact && other->exact ? 0.99 : 0.9);
    for (int k = 0; k < 2; k++)
        xr_history_words(comparison, (exray_side)k, &histories->side[k], words[k], sizeof words[k]);
    exray_finding_where(f, "model", tensor, EXRAY_NO_INDEX);
    exray_finding_summary(f, "The two sides' models do not remember the same: the %s's %s; the %s's %s.",
                          side_name[odd], words[odd], side_name[!odd], words[!odd]);
    exray_finding_detail(
        f,
        "Shown by running the model%s%.60s%s again on each side's own inputs (%s): so it returns "
        "what all %zu frames of the %s recorded, %s, and all %zu of the %s, %s.",
        op && *op ? ", which keeps a state (" : "", op && *op ? op : "", op && *op ? ")," : "", s->engine,
        s->frames, side_name[odd], how_equal(s), other->frames, side_name[!odd], how_equal(other));
    add_event(comparison, odd, s, f);
    advise(comparison, histories, f);
    exray_finding_text(f, "kind", kind_of(s));
    if (s->count) {
        exray_finding_number(f, "first_frame", (double)xr_history_frame(comparison, odd, s->deviation[0].at));
        if (s->deviation[0].count)
            exray_finding_number(f, "deviation_frames", (double)s->deviation[0].count);
    }
    put_evidence(comparison, histories, f);
}

void xr_history_explain(const exray_comparison *comparison, const xr_histories *histories,
                        exray_finding *finding)
{
    if (!histories)
        return;
    for (int s = 0; s < 2; s++) {
        const xr_history *history = &histories->side[s];
        char words[400];
        if (!history->known)
            continue;
        xr_history_words(comparison, (exray_side)s, history, words, sizeof words);
        exray_finding_detail(
            finding,
            "Run again on its own inputs (%s), a model that %s has the %s's outputs in all %zu "
            "frames, %s.",
            history->engine, words, side_name[s], history->frames, how_equal(history));
        add_event(comparison, (exray_side)s, history, finding);
    }
    put_evidence(comparison, histories, finding);
}
