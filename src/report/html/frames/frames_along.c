#include "report/html/frames/frames_along.h"

#include "checks/model/state/loops.h"
#include "report/html/drawing/frame_lines.h"

#include <math.h>
#include <stdlib.h>

enum { FRAMES_MOST = 400, CHARTS_MOST = 6, LOOKED_AT = 64, PARTS = 3, MARKS_MOST = 16, NAME_MOST = 120 };

/* The frames of the charts, and room for their lines. */
typedef struct along {
    xr_page *page;
    size_t count;
    size_t frame[FRAMES_MOST]; /* positions among the matched ones */
    unsigned long long number[FRAMES_MOST];
    bool differs[FRAMES_MOST];
    double value[PARTS][FRAMES_MOST];
    xr_frame_mark mark[MARKS_MOST];
    size_t mark_count;
    size_t charts;
} along;

static size_t position_of(const along *a, exray_side side, size_t i)
{
    return exray_comparison_frame(a->page->comparison, a->frame[i]).frame[side];
}

/* ---- Events -------------------------------------------------------------------------------- */

/* Where either side's application reset the state. */
static void find_resets(along *a)
{
    for (int s = 0; s < 2; s++) {
        const exray_log *log = exray_comparison_log(a->page->comparison, (exray_side)s);
        for (size_t e = 0; e < exray_log_event_count(log) && a->mark_count < MARKS_MOST; e++) {
            const exray_event *event = exray_log_event(log, e);
            if (event->kind != EXRAY_EVENT_RESET || !event->has_frame)
                continue;
            for (size_t i = 0; i < a->count; i++)
                if (exray_log_frame(log, position_of(a, (exray_side)s, i))->index >= event->frame) {
                    a->mark[a->mark_count++] = (xr_frame_mark){i, s ? "reference: reset" : "edge: reset"};
                    break;
                }
        }
    }
}

/* ---- Names -------------------------------------------------------------------------------------- */

typedef struct along_names {
    char name[CHARTS_MOST][NAME_MOST];
    size_t count, left_out;
} along_names;

static void add_name(along_names *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strncmp(list->name[i], name, NAME_MOST - 1) == 0)
            return;
    if (list->count == CHARTS_MOST)
        list->left_out++;
    else
        snprintf(list->name[list->count++], NAME_MOST, "%s", name);
}

static bool is_state(const exray_record *r)
{
    return r->message == EXRAY_MESSAGE_TENSOR && r->kind == EXRAY_KIND_STATE && r->has_data;
}

static bool is_reading(const exray_record *r)
{
    return r->message == EXRAY_MESSAGE_READING;
}

/* Names of such records in the first frames of the edge. */
static void find_names(const along *a, bool (*is_one)(const exray_record *), along_names *list)
{
    const exray_log *log = exray_comparison_log(a->page->comparison, EXRAY_SIDE_EDGE);
    *list = (along_names){.count = 0};
    for (size_t i = 0; i < a->count && i < LOOKED_AT; i++) {
        size_t position = position_of(a, EXRAY_SIDE_EDGE, i);
        const exray_record *record = exray_log_records(log, position);
        size_t count = exray_log_frame(log, position)->record_count;
        for (size_t k = 0; k < count; k++)
            if (is_one(&record[k]))
                add_name(list, record[k].name);
    }
}

static const exray_record *find_record(const exray_log *log, size_t position,
                                       bool (*is_one)(const exray_record *), const char *name)
{
    const exray_record *record = exray_log_records(log, position);
    size_t count = exray_log_frame(log, position)->record_count;
    for (size_t k = 0; k < count; k++)
        if (is_one(&record[k]) && strncmp(record[k].name, name, NAME_MOST - 1) == 0)
            return &record[k];
    return NULL;
}

/* ---- States ----------------------------------------------------------------------------------------- */

static double rms(const float *values, const float *other, uint64_t count)
{
    double sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        double v = xr_value_at(values, i) - (other ? xr_value_at(other, i) : 0);
        sum += v * v;
    }
    return count ? sqrt(sum / (double)count) : NAN;
}

/* A state: a record of its own, or an input that gets an output of the frame before. */
typedef struct state_source {
    const char *name;
    size_t input; /* among the pairs of inputs; EXRAY_NO_INDEX: it is a record */
} state_source;

static const float *state_values(const along *a, exray_side side, size_t i, const state_source *from,
                                 exray_tensor_view *view)
{
    const float *values;
    exray_error error;
    const exray_log *log = exray_comparison_log(a->page->comparison, side);
    exray_slot *slot = a->page->slot[side];
    if (from->input != EXRAY_NO_INDEX)
        return exray_comparison_values(a->page->comparison, side, a->frame[i], EXRAY_KIND_INPUT, from->input,
                                       slot, view, &values, &error) == EXRAY_OK
                   ? values
                   : NULL;
    const exray_record *record = find_record(log, position_of(a, side, i), is_state, from->name);
    return record && exray_log_read_values(log, record, slot, view, &values, &error) == EXRAY_OK ? values
                                                                                                 : NULL;
}

/* The rms of a state on both sides, and of their difference. */
static void read_state(along *a, size_t i, const state_source *from)
{
    exray_tensor_view view[2];
    const float *values[2];
    for (int s = 0; s < 2; s++) {
        values[s] = state_values(a, (exray_side)s, i, from, &view[s]);
        a->value[s][i] = values[s] ? rms(values[s], NULL, view[s].count) : NAN;
    }
    bool both = values[0] && values[1] && view[0].count == view[1].count;
    a->value[2][i] = both ? rms(values[0], values[1], view[0].count) : NAN;
}

static void put_state_words(const along *a)
{
    size_t both = 0, equal = 0, first = a->count;
    xr_number_text most;
    double worst = 0;
    for (size_t i = 0; i < a->count; i++) {
        double d = a->value[2][i];
        if (isnan(d))
            continue;
        both++;
        equal += d == 0;
        first = d > 0 && first == a->count ? i : first;
        worst = fmax(worst, d);
    }
    if (both == 0)
        fputs("<p class=\"legend\">It stands in one log alone.</p>\n", a->page->out);
    else if (equal == both)
        xr_put(a->page->out, "<p class=\"legend\">Equal in all %zu frames.</p>\n", both);
    else
        xr_put(a->page->out,
               "<p class=\"legend\">Equal in %zu of %zu frames; it differs from frame %llu on, by %s rms at "
               "most.</p>\n",
               equal, both, a->number[first], xr_number(most, worst));
}

static void put_state(along *a, const state_source *from)
{
    xr_frame_line lines[PARTS];
    static const char *const css[PARTS] = {"reference", "edge", "difference"};
    static const int order[PARTS] = {1, 0, 2};
    char id[32];
    for (size_t i = 0; i < a->count; i++)
        read_state(a, i, from);
    for (int k = 0; k < PARTS; k++)
        lines[k] = (xr_frame_line){css[k], a->value[order[k]]};
    snprintf(id, sizeof id, "along-%zu", a->charts++);
    xr_put(
        a->page->out,
        "<p class=\"chart-name\">State <code>%s</code>, before each run <span class=\"swatch edge\"></span> "
        "edge "
        "<span class=\"swatch reference\"></span> reference <span class=\"swatch difference\"></span> their "
        "difference</p>\n",
        from->name);
    xr_put_frame_lines(a->page->out,
                       &(xr_frame_chart){id, "A state along the frames",
                                         "The state's rms on both sides and of their difference",
                                         "rms of all values", a->count, a->number, lines, PARTS, a->mark,
                                         a->mark_count, NULL});
    put_state_words(a);
}

/* ---- Readings ---------------------------------------------------------------------------------------- */

/* Its first values in each frame; returns how many it has. */
static size_t read_readings(along *a, const char *name, char unit[32])
{
    const exray_log *log = exray_comparison_log(a->page->comparison, EXRAY_SIDE_EDGE);
    size_t most = 0;
    unit[0] = '\0';
    for (size_t i = 0; i < a->count; i++) {
        const exray_record *record = find_record(log, position_of(a, EXRAY_SIDE_EDGE, i), is_reading, name);
        exray_reading reading = {0};
        exray_error error;
        bool known =
            record && exray_log_read_reading(log, record, a->page->slot[0], &reading, &error) == EXRAY_OK;
        for (size_t k = 0; k < PARTS; k++)
            a->value[k][i] = known && k < reading.count ? reading.value[k] : NAN;
        if (known && reading.count > most)
            most = reading.count;
        if (known && reading.unit && !*unit)
            snprintf(unit, 32, "%s", reading.unit);
    }
    return most;
}

static void put_reading(along *a, const char *name)
{
    static const char *const css[PARTS] = {"part0", "part1", "part2"};
    xr_frame_line lines[PARTS];
    char unit[32], id[32], up[64];
    size_t values = read_readings(a, name, unit), parts = values < PARTS ? values : PARTS;
    for (size_t k = 0; k < PARTS; k++)
        lines[k] = (xr_frame_line){css[k], a->value[k]};
    snprintf(id, sizeof id, "along-%zu", a->charts++);
    snprintf(up, sizeof up, "%.20s%s%.32s", "value", *unit ? ", " : "", unit);
    xr_put(a->page->out, "<p class=\"chart-name\">Reading <code>%s</code>", name);
    if (values > PARTS)
        xr_put(a->page->out, ", the first %d of %zu values", PARTS, values);
    fputs("; frames that differ have a short line at the foot</p>\n", a->page->out);
    xr_put_frame_lines(a->page->out,
                       &(xr_frame_chart){id, "A reading along the frames",
                                         "What another sensor of the edge read", up, a->count, a->number,
                                         lines, parts, a->mark, a->mark_count, a->differs});
}

/* ---- All of them -------------------------------------------------------------------------------------- */

static void choose_frames(along *a, const xr_frame_facts *facts, size_t count)
{
    const exray_log *log = exray_comparison_log(a->page->comparison, EXRAY_SIDE_EDGE);
    size_t step = (count + FRAMES_MOST - 1) / FRAMES_MOST;
    for (size_t f = 0; f < count && a->count < FRAMES_MOST; f += step ? step : 1) {
        size_t i = a->count++;
        a->frame[i] = f;
        a->differs[i] = xr_frame_differs(&facts[f]);
        a->number[i] = exray_log_frame(log, position_of(a, EXRAY_SIDE_EDGE, i))->index;
    }
}

static void put_left_out(const xr_page *p, const along_names *list, const char *what)
{
    if (list->left_out)
        xr_put(p->out, "<p class=\"legend\">More %s are not shown.</p>\n", what);
}

/* Those that are inputs, and those with records of their own. */
static void put_states(along *a, const along_names *recorded)
{
    const xr_loops *loops = xr_loops_kept(&a->page->report->outcome->findings);
    for (size_t i = 0; loops && i < loops->count && a->charts < CHARTS_MOST; i++) {
        size_t input = loops->loop[i].input;
        if (loops->loop[i].output == SIZE_MAX) /* a window that overlaps the one before: shown as a sound */
            continue;
        put_state(a, &(state_source){
                         exray_comparison_input(a->page->comparison, input)->name[EXRAY_SIDE_EDGE], input});
    }
    for (size_t i = 0; i < recorded->count; i++)
        put_state(a, &(state_source){recorded->name[i], EXRAY_NO_INDEX});
}

static bool has_loops(const xr_page *p)
{
    const xr_loops *loops = xr_loops_kept(&p->report->outcome->findings);
    for (size_t i = 0; loops && i < loops->count; i++)
        if (loops->loop[i].output != SIZE_MAX)
            return true;
    return false;
}

void xr_put_along(xr_page *p, const xr_frame_facts *facts, size_t count)
{
    along_names states, readings;
    along *a = calloc(1, sizeof *a);
    if (!a)
        return;
    a->page = p;
    choose_frames(a, facts, count);
    find_names(a, is_state, &states);
    find_names(a, is_reading, &readings);
    if (states.count || readings.count || has_loops(p))
        fputs("<h3>Along the frames</h3>\n", p->out);
    find_resets(a);
    put_states(a, &states);
    put_left_out(p, &states, "states");
    for (size_t i = 0; i < readings.count; i++)
        put_reading(a, readings.name[i]);
    put_left_out(p, &readings, "readings");
    free(a);
}
