/* The part that knows the machine: what the log says of it, and what /system tells. */
#include "core/encode/text.h"
#include "core/identity.h"

/* Temperature and clock are read at most once a second: some boards take
 * milliseconds to answer. */
#define SLOW_USAGE_NS 1000000000u

/* ---- What the log says of itself -------------------------------------------------- */

/* A random UUID, version 4. */
static void make_log_id(char out[37])
{
    uint8_t bytes[16];
    if (!xr_port_random(bytes, sizeof bytes)) {
        /* Not random, but unlike another log's of this device. */
        const uint64_t seeds[2] = {xr_port_wall_clock(), xr_port_now()};
        uint8_t digest[32];
        exray_sha256(seeds, sizeof seeds, digest);
        memcpy(bytes, digest, sizeof bytes);
    }
    bytes[6] = (uint8_t)((bytes[6] & 0x0F) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3F) | 0x80);
    static const uint8_t groups[] = {4, 2, 2, 2, 6};
    xr_text_builder text = xr_text_in(out, 37);
    for (size_t i = 0, at = 0; i < sizeof groups; at += groups[i], i++) {
        if (i)
            xr_text_add(&text, "-");
        xr_text_add_hex(&text, bytes + at, groups[i]);
    }
}

/* "2026-11-23T14:05:09Z" of ns since 1970. */
static void make_date(uint64_t wall_clock_ns, char out[24])
{
    const uint64_t seconds = wall_clock_ns / 1000000000u;
    const uint64_t second_of_day = seconds % 86400;
    /* Days to a civil date, counted in eras of 400 years that begin on 1 March,
     * so that the leap day is the last of its year. */
    const uint64_t days = seconds / 86400 + 719468;
    const uint64_t era = days / 146097, day_of_era = days % 146097;
    const uint64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const uint64_t month_from_march = (5 * day_of_year + 2) / 153;
    const uint64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    const uint64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    const uint64_t year = era * 400 + year_of_era + (month <= 2);
    const struct {
        uint64_t number;
        int digits;
        const char *after;
    } parts[] = {{year, 4, "-"},
                 {month, 2, "-"},
                 {day, 2, "T"},
                 {second_of_day / 3600, 2, ":"},
                 {second_of_day / 60 % 60, 2, ":"},
                 {second_of_day % 60, 2, "Z"}};
    xr_text_builder text = xr_text_in(out, 24);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        xr_text_add_padded(&text, parts[i].number, parts[i].digits);
        xr_text_add(&text, parts[i].after);
    }
}

static exray_status identify(xr_recorder *r, const exray_recorder_config *config)
{
    xr_port_machine machine;
    char log_id[37], created[24] = "";
    const uint64_t wall = xr_port_wall_clock();
    xr_port_machine_info(&machine);
    make_log_id(log_id);
    if (wall)
        make_date(wall, created);
    const exray_key_value pairs[XR_MACHINE_PAIRS] = {
        {"log_id", log_id},   {"device", config->device ? NULL : machine.device},
        {"os", machine.os},   {"arch", machine.arch},
        {"cpu", machine.cpu}, {"soc", machine.soc},
        {"created", created}};
    return xr_write_identity(r, config, pairs, XR_MACHINE_PAIRS);
}

/* ---- /system ------------------------------------------------------------------------ */

static void watch(xr_recorder *r)
{
    xr_port_usage_open(&r->usage_files);
}

static void read_usage(xr_recorder *r, uint64_t now, xr_port_usage *usage)
{
    const bool slow = !r->last_slow_usage_ns || now - r->last_slow_usage_ns >= SLOW_USAGE_NS;
    if (slow)
        r->last_slow_usage_ns = now;
    xr_port_usage_read(&r->usage_files, slow, usage);
}

static void put_usage(xr_sink *sink, const xr_port_usage *usage)
{
    if (usage->has_rss)
        xr_pb_uint_always(sink, 2, usage->rss_bytes);
    if (usage->has_peak_rss)
        xr_pb_uint_always(sink, 3, usage->peak_rss_bytes);
    if (usage->has_celsius)
        xr_pb_double_always(sink, 5, usage->cpu_celsius);
    if (usage->has_mhz)
        xr_pb_double_always(sink, 6, usage->cpu_mhz);
    if (usage->processors)
        xr_pb_uint_always(sink, 8, usage->processors);
}

static void end(xr_recorder *r)
{
    xr_port_usage_close(&r->usage_files);
}

const exray_machine_part *exray_machine_part_default(void)
{
    static const exray_machine_part part = {identify, watch, read_usage, put_usage, end};
    return &part;
}
