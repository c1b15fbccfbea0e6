/* The metadata record "exray": what the log says of itself. */
#include "core/identity.h"

#include "core/encode/text.h"
#include "core/sticky_error.h"

enum { OWN_PAIRS = 16, ALL_PAIRS = OWN_PAIRS + 48 };

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

static void add_pair(exray_key_value *pairs, size_t *count, const char *key, const char *value)
{
    if (value && *value)
        pairs[(*count)++] = (exray_key_value){key, value};
}

static bool has_key(const exray_recorder_config *config, const char *key)
{
    for (uint32_t i = 0; i < config->metadata_count; i++)
        if (strcmp(config->metadata[i].key, key) == 0)
            return true;
    return false;
}

exray_status xr_write_identity(xr_recorder *r, const exray_recorder_config *config)
{
    xr_port_machine machine;
    char log_id[37], offset[24] = "", created[24] = "";
    exray_key_value own[OWN_PAIRS], pairs[ALL_PAIRS];
    size_t own_count = 0, count = 0;
    const uint64_t wall = xr_port_wall_clock();
    xr_port_machine_info(&machine);
    make_log_id(log_id);
    if (wall) {
        xr_text_builder text = xr_text_in(offset, sizeof offset);
        xr_text_add_number(&text, wall - xr_port_now());
        make_date(wall, created);
    }
    add_pair(own, &own_count, "role", config->role == EXRAY_ROLE_REFERENCE ? "reference" : "edge");
    add_pair(own, &own_count, "log_id", log_id);
    add_pair(own, &own_count, "session", config->session);
    add_pair(own, &own_count, "replay_of", config->replay_of);
    add_pair(own, &own_count, "wall_clock_offset_ns", offset);
    add_pair(own, &own_count, "task", config->task);
    add_pair(own, &own_count, "device", config->device ? config->device : machine.device);
    add_pair(own, &own_count, "os", machine.os);
    add_pair(own, &own_count, "arch", machine.arch);
    add_pair(own, &own_count, "cpu", machine.cpu);
    add_pair(own, &own_count, "app", config->app);
    add_pair(own, &own_count, "exray_version", EXRAY_VERSION);
    add_pair(own, &own_count, "capture", exray_capture_name(r->capture));
    add_pair(own, &own_count, "created", created);
    /* A map has each key once: the user's word goes before ours. */
    for (size_t i = 0; i < own_count; i++)
        if (!has_key(config, own[i].key))
            pairs[count++] = own[i];
    for (uint32_t i = 0; i < config->metadata_count; i++) {
        if (count == ALL_PAIRS)
            return xr_fail_with(r, EXRAY_E_LIMIT, "config.metadata has more than 48 entries", NULL, NULL);
        pairs[count++] = config->metadata[i];
    }
    const int error = xr_mcap_metadata(&r->mcap, &(xr_metadata_record){"exray", pairs, count});
    return error ? xr_fail_write(r, error) : EXRAY_OK;
}
