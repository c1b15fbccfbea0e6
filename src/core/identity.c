#include "core/identity.h"

#include "core/encode/text.h"
#include "core/recorder_error.h"

static const char *number_text(uint64_t number, char *to, size_t size)
{
    xr_text_builder text = xr_text_in(to, size);
    xr_text_add_number(&text, number);
    return to;
}

/* What has no value is left out. */
static size_t keep(exray_key_value *pairs, size_t count, const char *key, const char *value)
{
    pairs[count] = (exray_key_value){key, value};
    return count + (value && *value);
}

exray_status xr_write_identity(xr_recorder *r, const exray_recorder_config *config,
                               const exray_key_value *machine, size_t machine_count)
{
    static const char keys[] = "role\0session\0replay_of\0wall_clock_offset_ns\0task\0device\0app\0"
                               "exray_version\0capture\0flight\0every_nth\0first_frames";
    enum { KEYS = 12 };
    char offset[24] = "", nth[24], first[24];
    const uint64_t wall = xr_port_wall_clock();
    if (wall)
        number_text(wall - xr_port_now(), offset, sizeof offset);
    const char *const values[KEYS] = {config->role == EXRAY_ROLE_REFERENCE ? "reference" : "edge",
                                      config->session,
                                      config->replay_of,
                                      offset,
                                      config->task,
                                      config->device,
                                      config->app,
                                      EXRAY_VERSION,
                                      exray_capture_name(r->capture),
                                      r->flight ? exray_capture_name(r->flight_capture) : NULL,
                                      r->every_nth > 1 ? number_text(r->every_nth, nth, sizeof nth) : NULL,
                                      r->first_frames ? number_text(r->first_frames, first, sizeof first)
                                                      : NULL};
    exray_key_value own[KEYS + XR_MACHINE_PAIRS];
    size_t count = 0;
    for (unsigned i = 0; i < KEYS; i++)
        count = keep(own, count, xr_nth_text(keys, i), values[i]);
    for (size_t i = 0; i < machine_count; i++)
        count = keep(own, count, machine[i].key, machine[i].value);
    /* A map has each key once: the user's word goes before ours. */
    xr_metadata_record metadata = {.name = "exray",
                                   .pairs = config->metadata,
                                   .count = config->metadata_count,
                                   .defaults = own,
                                   .default_count = count};
    metadata.pairs_size = xr_mcap_pairs_size(&metadata);
    const int error = xr_mcap_metadata(&r->mcap, &metadata);
    return error ? xr_fail_write(r, error) : EXRAY_OK;
}
