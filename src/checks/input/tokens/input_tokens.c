#include "checks/input/tokens/input_tokens.h"

#include "checks/findings.h"
#include "checks/input/frames/frame_words.h"
#include "checks/input/tokens/token_flags.h"
#include "checks/input/tokens/token_origin.h"
#include "checks/input/tokens/token_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One input of ids or flags. */
typedef struct token_port {
    size_t pair;
    const exray_io_pair *io;
    xr_token_texts texts;
    xr_token_input kind;
    bool differs, told;
    xr_token_story story; /* of ids that differ */
    exray_finding *finding;
} token_port;

typedef struct token_ports {
    token_port *port;
    size_t count;
} token_ports;

static exray_status no_memory(exray_error *error)
{
    *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing ids"};
    return EXRAY_E_MEMORY;
}

static bool differs(const xr_token_texts *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (!xr_token_is_equal(&t->text[i]))
            return true;
    return false;
}

static bool may_differ(const exray_io_pair *io)
{
    return io->other_shape > 0 || (io->comparable && io->metrics.count > 0 && !(io->metrics.max_abs == 0));
}

static exray_status read_ports(const exray_comparison *comparison, xr_padding_effect padding,
                               const bool *judged, token_ports *out, exray_error *error)
{
    size_t count = exray_comparison_input_count(comparison);
    out->port = calloc(count + 1, sizeof *out->port);
    if (!out->port)
        return no_memory(error);
    for (size_t i = 0; i < count; i++) {
        token_port *p = &out->port[out->count];
        *p = (token_port){.pair = i, .io = exray_comparison_input(comparison, i)};
        if (judged[i] || !(p->io->comparable || p->io->other_shape > 0))
            continue;
        /* input.shape says so. */
        if (padding == XR_PADDING_LEFT_OUT && xr_differs_by_padding_alone(comparison, i))
            continue;
        exray_status status = xr_token_texts_read(comparison, i, &p->texts, &p->kind, error);
        if (status != EXRAY_OK)
            return status;
        if (p->kind == XR_TOKENS_NONE) {
            xr_token_texts_free(&p->texts);
            continue;
        }
        p->differs = differs(&p->texts);
        out->count++;
    }
    return EXRAY_OK;
}

static void free_ports(token_ports *ports)
{
    for (size_t i = 0; i < ports->count; i++) {
        xr_token_texts_free(&ports->port[i].texts);
        xr_token_story_free(&ports->port[i].story);
    }
    free(ports->port);
}

/* ---- Ids ------------------------------------------------------------------------------------------------
 */

/* Adds which frames it is about, where there are others. */
static exray_status say_frames(const exray_comparison *comparison, const xr_token_texts *texts,
                               exray_finding *finding, exray_error *error)
{
    size_t frames = exray_comparison_frame_count(comparison), affected = 0, read = 0;
    bool *chosen = calloc(frames + 1, sizeof *chosen), *seen = calloc(frames + 1, sizeof *seen);
    if (!chosen || !seen) {
        free(chosen);
        free(seen);
        return no_memory(error);
    }
    for (size_t i = 0; i < texts->count; i++) {
        size_t f = texts->text[i].frame;
        read += !seen[f];
        seen[f] = true;
        if (!xr_token_is_equal(&texts->text[i])) {
            affected += !chosen[f];
            chosen[f] = true;
        }
    }
    if (affected < read)
        exray_finding_frames(finding, comparison, chosen);
    free(chosen);
    free(seen);
    return EXRAY_OK;
}

static exray_status report_ids(const exray_comparison *comparison, token_port *p,
                               const xr_token_names names[2], exray_findings *findings, exray_error *error)
{
    exray_finding *f = exray_findings_add(findings, xr_token_story_cause(&p->story), EXRAY_SEVERITY_ERROR,
                                          p->story.explained ? 0.98 : 0.95);
    exray_finding_where(f, "input", p->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    xr_say_token_story(comparison, p->io->name[EXRAY_SIDE_EDGE], &p->texts, &p->story, names, f);
    xr_say_token_origin(comparison, &p->texts, &p->story, names, f);
    exray_finding_number(f, "max_difference", p->io->metrics.max_abs);
    exray_status status = say_frames(comparison, &p->texts, f, error);
    p->finding = f;
    p->told = true;
    return status;
}

/* Whether another input's finding says the same of this one. */
static bool is_told_alike(const token_ports *ports, const token_port *p)
{
    for (const token_port *q = ports->port; q < p; q++) {
        const xr_token_map *a = &q->story.map, *b = &p->story.map;
        if (!q->finding || strcmp(xr_token_story_kind(&q->story), xr_token_story_kind(&p->story)) != 0 ||
            a->offset != b->offset || q->story.has_edits || p->story.has_edits)
            continue;
        exray_finding_detail(q->finding, "The same holds for input %.100s.", p->io->name[EXRAY_SIDE_EDGE]);
        return true;
    }
    return false;
}

/* Whether an input of ids (positions, say) follows from another one's. */
static bool follows(const token_ports *ports, const token_port *p)
{
    for (size_t i = 0; i < ports->count; i++) {
        const token_port *q = &ports->port[i];
        if (q == p || !q->finding || q->kind != XR_TOKENS_IDS ||
            !xr_token_flags_follow(&p->texts, &q->texts, &q->story))
            continue;
        exray_finding_detail(q->finding, "Input %.100s differs as it must behind these ids.",
                             p->io->name[EXRAY_SIDE_EDGE]);
        return true;
    }
    return false;
}

/* Those of the most different ids first: positions follow from texts, and not the reverse. */
static token_port *next_ids(const token_ports *ports)
{
    token_port *next = NULL;
    for (size_t i = 0; i < ports->count; i++) {
        token_port *p = &ports->port[i];
        if (p->kind == XR_TOKENS_IDS && p->differs && !p->told &&
            (!next || p->texts.most[1] > next->texts.most[1]))
            next = p;
    }
    return next;
}

static exray_status judge_ids(const exray_comparison *comparison, token_ports *ports,
                              exray_findings *findings, exray_error *error)
{
    xr_token_names names[2] = {0}; /* read once: a vocabulary may be large */
    bool read = false;
    exray_status status = EXRAY_OK;
    for (token_port *next; status == EXRAY_OK && (next = next_ids(ports)) != NULL;) {
        if (!xr_token_story_make(&next->texts, &next->story)) {
            status = no_memory(error);
            break;
        }
        next->told = follows(ports, next) || is_told_alike(ports, next);
        if (next->told)
            continue;
        for (int s = 0; s < 2 && !read; s++)
            xr_token_names_read(comparison, (exray_side)s, &names[s]);
        read = true;
        status = report_ids(comparison, next, names, findings, error);
    }
    for (int s = 0; s < 2 && read; s++)
        xr_token_names_free(&names[s]);
    return status;
}

/* ---- Flags
 * ------------------------------------------------------------------------------------------------- */

static void judge_flags(const exray_comparison *comparison, token_ports *ports, exray_findings *findings)
{
    const xr_token_texts *ids = NULL;
    for (size_t i = 0; i < ports->count; i++)
        if (ports->port[i].kind == XR_TOKENS_IDS && !ids)
            ids = &ports->port[i].texts;
    for (size_t i = 0; i < ports->count; i++) {
        token_port *p = &ports->port[i];
        if (p->kind == XR_TOKENS_FLAGS && p->differs && !p->told && !follows(ports, p))
            xr_report_token_flags(comparison, p->io->name[EXRAY_SIDE_EDGE], &p->texts, ids, findings);
        p->told = true;
    }
}

/* Zeros and ones of type float are flags where ids are beside them. */
static void drop_lone_flags(token_ports *ports)
{
    bool ids = false;
    for (size_t i = 0; i < ports->count; i++)
        ids = ids || ports->port[i].kind == XR_TOKENS_IDS;
    for (size_t i = 0; i < ports->count && !ids; i++)
        if (ports->port[i].kind == XR_TOKENS_FLAGS && ports->port[i].texts.floats)
            ports->port[i].differs = false;
}

exray_status xr_judge_tokens(const exray_comparison *comparison, xr_padding_effect padding, bool *judged,
                             bool *shape_told, exray_findings *findings, exray_error *error)
{
    token_ports ports = {NULL, 0};
    bool any = false;
    for (size_t i = 0; i < exray_comparison_input_count(comparison); i++)
        any = any || (!judged[i] && may_differ(exray_comparison_input(comparison, i)));
    if (!any)
        return EXRAY_OK;
    exray_status status = read_ports(comparison, padding, judged, &ports, error);
    if (status == EXRAY_OK) {
        drop_lone_flags(&ports);
        status = judge_ids(comparison, &ports, findings, error);
    }
    if (status == EXRAY_OK)
        judge_flags(comparison, &ports, findings);
    bool told = false; /* why rows are longer or shorter */
    for (size_t i = 0; i < ports.count; i++)
        told = told ||
               (ports.port[i].texts.open && ports.port[i].kind == XR_TOKENS_IDS && ports.port[i].differs);
    for (size_t i = 0; i < ports.count && status == EXRAY_OK; i++) {
        const token_port *p = &ports.port[i];
        shape_told[p->pair] = p->texts.open && (told || p->differs);
        judged[p->pair] = judged[p->pair] || p->differs || shape_told[p->pair];
    }
    free_ports(&ports);
    return status;
}
