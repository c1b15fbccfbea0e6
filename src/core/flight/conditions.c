/* What triggers by itself: looked at when a frame ends. */
#include "core/flight/conditions.h"
#include "core/dtype.h"
#include "core/encode/text.h"
#include "core/flight/trigger.h"

void xr_flight_conditions_begin(xr_flight *flight)
{
    flight->has_score = false;
    flight->not_finite[0] = 0;
}

static void note_score(xr_flight *flight, float score)
{
    if (!flight->has_score || score > flight->score)
        flight->score = score;
    flight->has_score = true;
}

void xr_flight_note_result(xr_flight *flight, const exray_result *result)
{
    for (uint32_t i = 0; i < result->class_count; i++)
        note_score(flight, result->classes[i].score);
    for (uint32_t i = 0; i < result->box_count; i++)
        note_score(flight, result->boxes[i].score);
}

/* ---- NaN and infinity ---- */

/* An exponent of ones is a NaN or an infinity.  Loops without an early end: compilers make them wide. */
static bool any_u32(const uint8_t *data, size_t count, uint32_t mask)
{
    uint32_t found = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, data + 4 * i, sizeof bits);
        found |= (bits & mask) == mask;
    }
    return found != 0;
}

static bool any_u16(const uint8_t *data, size_t count, uint16_t mask)
{
    uint16_t found = 0;
    for (size_t i = 0; i < count; i++) {
        uint16_t bits;
        memcpy(&bits, data + 2 * i, sizeof bits);
        found |= (bits & mask) == mask;
    }
    return found != 0;
}

static bool any_u8(const uint8_t *data, size_t count, uint8_t mask)
{
    uint8_t found = 0;
    for (size_t i = 0; i < count; i++)
        found |= (data[i] & mask) == mask;
    return found != 0;
}

/* Elements of 8 bytes: the exponent is in the upper half. */
static bool any_u64(const uint8_t *data, size_t count)
{
    uint32_t found = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t bits;
        memcpy(&bits, data + 8 * i, sizeof bits);
        found |= (bits >> 52 & 0x7FF) == 0x7FF;
    }
    return found != 0;
}

static bool has_not_finite(exray_dtype dtype, const uint8_t *data, size_t size)
{
    switch (dtype) {
    case EXRAY_DTYPE_FLOAT32:
        return any_u32(data, size / 4, 0x7F800000);
    case EXRAY_DTYPE_FLOAT64:
        return any_u64(data, size / 8);
    case EXRAY_DTYPE_FLOAT16:
        return any_u16(data, size / 2, 0x7C00);
    case EXRAY_DTYPE_BFLOAT16:
        return any_u16(data, size / 2, 0x7F80);
    case EXRAY_DTYPE_FLOAT8_E5M2:
        return any_u8(data, size, 0x7C);
    case EXRAY_DTYPE_FLOAT8_E4M3: /* it has no infinity, and one NaN */
        return any_u8(data, size, 0x7F);
    default:
        return false;
    }
}

void xr_flight_note_output(xr_flight *flight, const exray_tensor *tensor)
{
    if (!flight->config.not_finite || tensor->kind != EXRAY_KIND_OUTPUT || !tensor->data ||
        flight->not_finite[0] || !has_not_finite(tensor->info.dtype, tensor->data, tensor->size))
        return;
    xr_text_builder text = xr_text_in(flight->not_finite, sizeof flight->not_finite);
    const char *name = tensor->info.name;
    xr_text_add(&text, name && *name ? name : "0");
}

/* ---- At a frame's end ---- */

/* "0.25", to four digits. */
static void add_score(xr_text_builder *text, float score)
{
    if (score < 0)
        xr_text_add(text, "-");
    const float size = score < 0 ? -score : score;
    if (!(size < 1e6f)) {
        xr_text_add(text, size == size ? "over 1000000" : "NaN");
        return;
    }
    const uint32_t scaled = (uint32_t)(size * 10000 + 0.5f);
    xr_text_add_number(text, scaled / 10000);
    xr_text_add(text, ".");
    xr_text_add_padded(text, scaled % 10000, 4);
}

/* "12.3 ms" */
static void add_ms(xr_text_builder *text, uint64_t ns)
{
    xr_text_add_number(text, ns / 1000000);
    xr_text_add(text, ".");
    xr_text_add_number(text, ns / 100000 % 10);
    xr_text_add(text, " ms");
}

/* Fires, unless the condition did so a moment ago. */
static void fire(xr_recorder *r, size_t condition, const char *reason)
{
    xr_flight *flight = r->flight;
    xr_flight_limit *limit = &flight->limits[condition];
    const uint64_t now = r->last_end_ns;
    if (limit->ever && now - limit->last_ns < (uint64_t)flight->config.interval_ms * 1000000u) {
        limit->held_back++;
        return;
    }
    char text[XR_FLIGHT_REASON];
    xr_text_builder t = xr_text_in(text, sizeof text);
    xr_text_add(&t, reason);
    if (limit->held_back) {
        xr_text_add(&t, "; ");
        xr_text_add_number(&t, limit->held_back);
        xr_text_add(&t, " more were held back");
    }
    limit->ever = true;
    limit->last_ns = now;
    limit->held_back = 0;
    xr_flight_fire(r, flight->frame, flight->config.before, flight->config.after, text);
}

static void check_score(xr_recorder *r)
{
    const xr_flight *flight = r->flight;
    if (flight->config.score_below == 0 || !flight->has_score ||
        !(flight->score < flight->config.score_below))
        return;
    char text[80];
    xr_text_builder t = xr_text_in(text, sizeof text);
    xr_text_add(&t, "score ");
    add_score(&t, flight->score);
    xr_text_add(&t, " is under ");
    add_score(&t, flight->config.score_below);
    fire(r, 0, text);
}

static void check_latency(xr_recorder *r)
{
    const uint64_t limit = r->flight->config.latency_above_ns;
    const xr_open_frame *frame = &r->frame; /* it has ended just now */
    const uint64_t took =
        frame->message.inference_ns ? frame->message.inference_ns : r->last_end_ns - frame->message.begin_ns;
    if (!limit || took <= limit)
        return;
    char text[96];
    xr_text_builder t = xr_text_in(text, sizeof text);
    xr_text_add(&t, frame->message.inference_ns ? "the inference took " : "the frame took ");
    add_ms(&t, took);
    xr_text_add(&t, ", over ");
    add_ms(&t, limit);
    fire(r, 1, text);
}

static void check_not_finite(xr_recorder *r)
{
    const xr_flight *flight = r->flight;
    if (!flight->not_finite[0])
        return;
    char text[128];
    xr_text_builder t = xr_text_in(text, sizeof text);
    xr_text_add(&t, "NaN or infinity in output ");
    xr_text_add(&t, flight->not_finite);
    fire(r, 2, text);
}

static void ask_application(xr_recorder *r)
{
    const xr_flight *flight = r->flight;
    if (!flight->config.condition)
        return;
    const exray_flight_frame known = {.index = flight->frame,
                                      .source = r->frame.source,
                                      .duration_ns = r->last_end_ns - r->frame.message.begin_ns,
                                      .inference_ns = r->frame.message.inference_ns,
                                      .has_score = flight->has_score,
                                      .score = flight->has_score ? flight->score : 0,
                                      .not_finite = flight->not_finite[0] ? flight->not_finite : NULL};
    const char *reason = flight->config.condition(flight->config.user, &known);
    if (reason)
        fire(r, 3, reason);
}

void xr_flight_conditions_check(xr_recorder *r)
{
    check_score(r);
    check_latency(r);
    check_not_finite(r);
    ask_application(r);
}
