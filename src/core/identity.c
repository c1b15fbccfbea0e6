#include "core/identity.h"

#include "core/encode/text.h"
#include "core/sticky_error.h"

exray_status xr_write_identity(xr_recorder *r, const exray_recorder_config *config,
                               const xr_machine_texts *machine)
{
    char offset[24] = "";
    const uint64_t wall = xr_port_wall_clock();
    if (wall) {
        xr_text_builder text = xr_text_in(offset, sizeof offset);
        xr_text_add_number(&text, wall - xr_port_now());
    }
    static const char *const keys[] = {
        "role", "log_id", "session", "replay_of", "wall_clock_offset_ns", "task",    "device",
        "os",   "arch",   "cpu",     "app",       "exray_version",        "capture", "created"};
    const char *const values[] = {config->role == EXRAY_ROLE_REFERENCE ? "reference" : "edge",
                                  machine->log_id,
                                  config->session,
                                  config->replay_of,
                                  offset,
                                  config->task,
                                  config->device ? config->device : machine->device,
                                  machine->os,
                                  machine->arch,
                                  machine->cpu,
                                  config->app,
                                  EXRAY_VERSION,
                                  exray_capture_name(r->capture),
                                  machine->created};
    exray_key_value own[sizeof keys / sizeof *keys];
    size_t count = 0;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (values[i] && *values[i])
            own[count++] = (exray_key_value){keys[i], values[i]};
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
