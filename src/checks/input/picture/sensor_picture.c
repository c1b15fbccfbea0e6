#include "checks/input/picture/sensor_picture.h"

static const exray_record *sensor_record(const exray_log *log, size_t frame)
{
    const exray_record *records = exray_log_records(log, frame);
    for (size_t i = 0; i < exray_log_frame(log, frame)->record_count; i++)
        if (records[i].message == EXRAY_MESSAGE_TENSOR && records[i].kind == EXRAY_KIND_SENSOR &&
            records[i].has_data)
            return &records[i];
    return NULL;
}

bool xr_sensor_bytes(const exray_comparison *comparison, size_t frame, exray_slot *slot, exray_media *media,
                     const uint8_t **data, size_t *size)
{
    exray_frame_pair pair = exray_comparison_frame(comparison, frame);
    for (int s = 0; s < 2; s++) {
        const exray_log *log = exray_comparison_log(comparison, (exray_side)s);
        const exray_record *record = sensor_record(log, pair.frame[s]);
        exray_tensor_view view;
        exray_error error;
        if (!record || exray_log_read_tensor(log, record, slot, &view, &error) != EXRAY_OK || !view.data)
            continue;
        *media = view.has_media ? view.media : (exray_media){0};
        *data = view.data;
        *size = view.size;
        return true;
    }
    return false;
}

exray_picture *xr_sensor_picture(const exray_comparison *comparison, size_t frame,
                                 const xr_decode_override *as, exray_slot *slot, exray_media *media)
{
    exray_media how;
    const uint8_t *data;
    size_t size;
    exray_error error;
    if (!xr_sensor_bytes(comparison, frame, slot, &how, &data, &size))
        return NULL;
    if (media)
        *media = how;
    if (as && as->format)
        how.format = as->format;
    if (as && as->matrix)
        how.matrix = as->matrix;
    if (as && as->full_range >= 0)
        how.full_range = as->full_range != 0;
    if (as && as->row_stride >= 0)
        how.row_stride = (uint32_t)as->row_stride;
    exray_picture *raw = exray_picture_decode(&how, data, size, &error);
    if (!raw || exray_picture_orientation(raw) <= 1)
        return raw;
    exray_picture *upright = exray_picture_orient(raw, exray_picture_orientation(raw), &error);
    exray_picture_free(raw);
    return upright;
}
