/* Whether a record of another writer is whole: its lengths add up, its checksum fits. */
#ifndef XR_SOUND_RECORDS_H
#define XR_SOUND_RECORDS_H

#include "log/wire.h"

bool xr_schema_is_sound(const xr_mcap_record *record, uint16_t *id);
/* schema: 0 is none.  The topic is in place. */
bool xr_channel_is_sound(const xr_mcap_record *record, uint16_t *id, uint16_t *schema, xr_text *topic);
/* The name is in place. */
bool xr_attachment_is_sound(const xr_mcap_record *record, xr_text *name);
bool xr_metadata_is_sound(const xr_mcap_record *record);

#endif
