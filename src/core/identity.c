#include "core/identity.h"

#include "core/encode/text.h"
#include "core/recorder_error.h"

exray_status xr_write_identity(xr_recorder *r, const exray_recorder_config *config,
                               const exray_key_value *machine, size_t machine_count)
{
    static const char *const keys[] = {"role",    "session", "replay_of", "wall_clock_offset_ns",
                                       "task",    "device",  "app",       "exray_version",
                                       "capture", "flight"};
    enum { KEYS = sizeof keys / sizeof *keys };
    char offset[24] = "";
    const uint64_t wall = xr_port_wall_clock();
    if (wall) {
        xr_text_builder text = xr_text_in(offset, sizeof offset);
        xr_text_add_number(&text, wall - xr_port_now());
    }
    const char *const values[KEYS] = {config->role == EXRAY_ROLE_REFERENCE ? "reference" : "edge",
                                      config->session,
                                      config->replay_of,
                                      offset,
                                      config->task,
                                      config->device,
                                      config->app,
                                      EXRAY_VERSION,
                                      exray_capture_name(r->capture),
                                      r->flight ? exray_capture_name(r->flight_capture) : NULL};
    exray_key_value own[KEYS + XR_MACHINE_PAIRS];
    size_t count = 0;
    for (size_t i = 0; i < KEYS + machine_count; i++) {
        own[count] = i < KEYS ? (exray_key_value){keys[i], values[i]} : machine[i - KEYS];
        if (own[count].value && *own[count].value)
            count++;
    }
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
