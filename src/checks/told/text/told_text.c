/* Texts: what both sides told of equal outputs. */
#include "checks/told/silence.h"
#include "checks/told/text/text_search.h"
#include "checks/told/told_check.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct text_report {
    const xr_text_frames *frames;
    const xr_text_story *story;
    const xr_text_frame *first; /* that differs, noise aside where there is another */
    exray_finding *finding;
} text_report;

static const char *kind_of(xr_text_way way)
{
    switch (way) {
    case XR_TEXTS_LATE:
        return "late";
    case XR_TEXTS_EXCHANGED:
    case XR_TEXTS_WORDS:
        return "exchanged";
    case XR_TEXTS_NONE:
    case XR_TEXTS_CUT:
        return "missing";
    case XR_TEXTS_ADDED:
    case XR_TEXTS_LONGER:
        return "extra";
    default:
        return "text";
    }
}

/* A token as a person reads it. */
static void token_words(const xr_told_text *token, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < token->count && used + 1 < size; i++) {
        uint32_t c = token->letter[i];
        used += (size_t)(c >= 0x20 && c < 0x7F ? snprintf(out + used, size - used, "%c", (char)c)
                                               : snprintf(out + used, size - used, "U+%04X", (unsigned)c));
    }
}

static void say_token(const text_report *r)
{
    char token[64];
    token_words(&r->story->token, token, sizeof token);
    exray_finding_summary(r->finding,
                          "The edge's text has \"%s\" in between where the reference's has nothing%s.", token,
                          r->story->way == XR_TEXTS_RAW ? ", and letters several times" : "");
    exray_finding_fix(r->finding,
                      "Leave out the class that stands for nothing (CTC's blank, padding, a mark of the "
                      "tokenizer)%s, when classes become letters.",
                      r->story->way == XR_TEXTS_RAW ? ", after equal neighbors are merged" : "");
    exray_finding_text(r->finding, "token", token);
}

static void say_late(const text_report *r)
{
    long lag = r->story->lag;
    if (lag == 1)
        exray_finding_summary(r->finding, "The edge's text is that of the frame before.");
    else
        exray_finding_summary(r->finding, "The edge's text is that of %ld frame%s %s.", labs(lag),
                              labs(lag) == 1 ? "" : "s", lag > 0 ? "before" : "later");
    exray_finding_fix(r->finding, "Note the text in the frame that it was read in, and tell no older one.");
    exray_finding_number(r->finding, "lag", (double)lag);
    exray_finding_alternative(r->finding, "output.frame_order", 0.3);
}

typedef struct way_words {
    const char *summary, *fix;
} way_words;

static const way_words words[] = {
    [XR_TEXTS_NONE] = {"The edge tells no text where the reference does.",
                       "Check that the text is made of the outputs of this frame, and told in each."},
    [XR_TEXTS_ADDED] = {"The edge tells a text where the reference tells none.",
                        "Compare when the two sides tell a text at all (a threshold, a state)."},
    [XR_TEXTS_EXCHANGED] = {"The edge's texts are the reference's exchanged with each other.",
                            "Read the model's classes in the order that it was trained with."},
    [XR_TEXTS_CONSTANT] = {"The edge tells the same text in all frames; the reference's change.",
                           "Make the text of each frame's own outputs."},
    [XR_TEXTS_REPEATED] =
        {"Letters that stand once in the reference's text stand several times in the edge's: "
         "repeated classes are not merged.",
         "Merge equal neighbors before blanks are left out (CTC), when classes become letters."},
    [XR_TEXTS_MERGED] =
        {"Letters that stand twice in the reference's text stand once in the edge's: they are merged.",
         "Merge equal neighbors before blanks are left out (CTC), not afterwards."},
    [XR_TEXTS_BLANKS] = {"The edge's text has other blanks between its letters than the reference's.",
                         "Compare how tokens are joined, and whether the list of letters has the blank."},
    [XR_TEXTS_CASE] = {"The edge's text is the reference's in other case (capital and small letters).",
                       "Use one list of letters on both sides."},
    [XR_TEXTS_REVERSED] = {"The edge's text is the reference's read backwards.",
                           "Read the output in the order of its time axis."},
    [XR_TEXTS_WORDS] = {"The edge's text has the reference's words in another order.",
                        "Read outputs by name, and parts in the order that the reference has."},
    [XR_TEXTS_CUT] = {"The edge's text is the beginning of the reference's: the rest is missing.",
                      "Compare the length limits and the marks that end a text."},
    [XR_TEXTS_LONGER] = {"The edge's text is the reference's with more behind it.",
                         "Compare the length limits and the marks that end a text."},
    [XR_TEXTS_LETTERS] =
        {"Each letter of the edge's text is another than in the reference's, always the same one.",
         "Use the list of letters that goes with the model, with its blank where the model has it."},
    [XR_TEXTS_RENAMED] = {"The edge tells another text for each of the reference's, always the same one.",
                          "Use the list of names that goes with the model."},
    [XR_TEXTS_UNKNOWN] = {"The two sides tell other texts.",
                          "Compare how the outputs become text on the two sides, on one frame."},
};

static void say_way(const text_report *r)
{
    switch (r->story->way) {
    case XR_TEXTS_TOKEN:
    case XR_TEXTS_RAW:
        say_token(r);
        return;
    case XR_TEXTS_LATE:
        say_late(r);
        return;
    default:
        exray_finding_summary(r->finding, "%s", words[r->story->way].summary);
        exray_finding_fix(r->finding, "%s", words[r->story->way].fix);
    }
    if (r->story->way == XR_TEXTS_LETTERS && r->story->step)
        exray_finding_detail(r->finding, "Each is %+lld from the reference's in the alphabet.",
                             (long long)r->story->step);
}

static const xr_text_frame *first_that_differs(const xr_text_frames *frames)
{
    const xr_text_frame *found = NULL;
    for (size_t f = 0; f < frames->count; f++)
        if (frames->frame[f].differs && (!found || (found->noisy && !frames->frame[f].noisy)))
            found = &frames->frame[f];
    return found;
}

static void say_example(const text_report *r)
{
    const xr_text_frame *f = r->first;
    size_t begin = 0;
    while (begin < f->text[0].count && begin < f->text[1].count &&
           f->text[0].letter[begin] == f->text[1].letter[begin])
        begin++;
    exray_finding_detail(r->finding, "\"%s\" for \"%s\": they differ from letter %zu on.", f->shown[0],
                         f->shown[1], begin + 1);
    exray_finding_text(r->finding, "edge_text", f->shown[0]);
    exray_finding_text(r->finding, "reference_text", f->shown[1]);
    exray_finding_number(r->finding, "first_difference", (double)begin);
}

/* Ways that hold for every text, also for those that are the same. */
static bool holds_in_all(xr_text_way way)
{
    return way != XR_TEXTS_UNKNOWN && way != XR_TEXTS_NONE && way != XR_TEXTS_ADDED && way != XR_TEXTS_CUT &&
           way != XR_TEXTS_LONGER;
}

static exray_status report(const exray_comparison *comparison, const xr_equal_frames *equal, text_report *r,
                           exray_findings *findings, exray_error *error)
{
    bool *differs = calloc(exray_comparison_frame_count(comparison) + 1, sizeof *differs);
    if (!differs) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while reporting texts"};
        return EXRAY_E_MEMORY;
    }
    for (size_t f = 0; f < r->frames->count; f++)
        differs[r->frames->frame[f].frame] = r->frames->frame[f].differs;
    r->finding = xr_told_finding(findings, kind_of(r->story->way), "result", "text",
                                 r->story->way == XR_TEXTS_UNKNOWN ? 0.85 : 0.95);
    say_way(r);
    say_example(r);
    if (r->story->way == XR_TEXTS_EXCHANGED || r->story->way == XR_TEXTS_RENAMED)
        exray_finding_alternative(r->finding, "output.labels", 0.4);
    xr_say_told_frames(r->finding, comparison, equal, differs, !holds_in_all(r->story->way), XR_TOLD_UNKNOWN);
    free(differs);
    return EXRAY_OK;
}

exray_status xr_check_told_text(const exray_comparison *comparison, const xr_equal_frames *equal,
                                exray_findings *findings, exray_error *error)
{
    static const char *const explained[] = {"output.order", "output.labels", NULL};
    xr_text_frames frames;
    xr_text_story story = {.way = XR_TEXTS_SAME};
    exray_status status = xr_text_frames_make(comparison, equal, &frames, error);
    if (status == EXRAY_OK && frames.differ && !xr_result_is_explained(findings, explained)) {
        text_report r = {&frames, &story, first_that_differs(&frames), NULL};
        if (!xr_text_search(&frames, &story)) {
            *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing texts"};
            status = EXRAY_E_MEMORY;
        } else if (story.way != XR_TEXTS_SAME && r.first)
            status = report(comparison, equal, &r, findings, error);
    }
    if (status == EXRAY_OK && frames.differ && story.way == XR_TEXTS_SAME)
        xr_note_excused(findings);
    xr_text_frames_free(&frames);
    return status;
}
