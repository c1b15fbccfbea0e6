#include "log/sound_records.h"

#include <exray/codecs.h>

bool xr_schema_is_sound(const xr_mcap_record *record, uint16_t *id)
{
    xr_cursor c = xr_cursor_begin(record->data, record->size);
    *id = xr_cursor_u16(&c);
    xr_cursor_text(&c); /* name */
    xr_cursor_text(&c); /* encoding */
    xr_cursor_text(&c); /* data */
    return !c.bad && *id != 0;
}

bool xr_channel_is_sound(const xr_mcap_record *record, uint16_t *id, uint16_t *schema, xr_text *topic)
{
    xr_cursor c = xr_cursor_begin(record->data, record->size);
    *id = xr_cursor_u16(&c);
    *schema = xr_cursor_u16(&c);
    *topic = xr_cursor_text(&c);
    xr_cursor_text(&c); /* encoding */
    xr_cursor_text(&c); /* metadata */
    return !c.bad;
}

bool xr_attachment_is_sound(const xr_mcap_record *record, xr_text *name)
{
    xr_cursor c = xr_cursor_begin(record->data, record->size);
    xr_cursor_u64(&c);
    xr_cursor_u64(&c);
    *name = xr_cursor_text(&c);
    xr_cursor_text(&c);
    uint64_t size = xr_cursor_u64(&c);
    xr_cursor_bytes(&c, size);
    size_t covered = (size_t)(c.at - record->data);
    uint32_t crc = xr_cursor_u32(&c);
    return !c.bad && (!crc || exray_codec_default()->crc32(0, record->data, covered) == crc);
}

bool xr_metadata_is_sound(const xr_mcap_record *record)
{
    xr_cursor c = xr_cursor_begin(record->data, record->size);
    xr_cursor_text(&c);
    xr_text map = xr_cursor_text(&c);
    xr_cursor m = xr_cursor_begin(map.data, map.size);
    while (!m.bad && m.at != m.end) {
        xr_cursor_text(&m);
        xr_cursor_text(&m);
    }
    return !c.bad && !m.bad;
}
