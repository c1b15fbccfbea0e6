#define _POSIX_C_SOURCE 200809L
#include "base/error.h"
#include "base/memory.h"
#include "base/npz.h"
#include "cli/export/export.h"
#include "cli/fail.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* NumPy's name of a type; NULL: NumPy does not have it. */
static const char *descr_of(exray_dtype dtype)
{
    switch (dtype) {
    case EXRAY_DTYPE_FLOAT32:
        return "<f4";
    case EXRAY_DTYPE_FLOAT16:
        return "<f2";
    case EXRAY_DTYPE_FLOAT64:
        return "<f8";
    case EXRAY_DTYPE_INT8:
        return "|i1";
    case EXRAY_DTYPE_UINT8:
        return "|u1";
    case EXRAY_DTYPE_INT16:
        return "<i2";
    case EXRAY_DTYPE_UINT16:
        return "<u2";
    case EXRAY_DTYPE_INT32:
        return "<i4";
    case EXRAY_DTYPE_UINT32:
        return "<u4";
    case EXRAY_DTYPE_INT64:
        return "<i8";
    case EXRAY_DTYPE_UINT64:
        return "<u8";
    case EXRAY_DTYPE_BOOL:
        return "|b1";
    default:
        return NULL;
    }
}

/* "input/image", "layer/3", "layer/3#2" for the third run of a node: the topic, made safe as a file name in
 * an archive that somebody may unpack. */
static void key_of(const exray_record *record, char *out, size_t size)
{
    const char *from = record->topic;
    while (*from == '/')
        from++;
    size_t used = 0;
    for (; *from && used + 16 < size; from++) {
        bool harmless = (unsigned char)*from >= 0x20 && !strchr("\\:*?\"<>|\x7f", *from);
        /* Neither "//" nor a dot at the beginning of a part. */
        bool begins = used == 0 || out[used - 1] == '/';
        if (*from == '/' && begins)
            continue;
        out[used++] = harmless && !(*from == '.' && begins) ? *from : '_';
    }
    out[used] = 0;
    if (record->occurrence)
        snprintf(out + used, size - used, "#%" PRIu32, record->occurrence);
}

/* The array's shape: the tensor's, or flat where that does not fit the data. */
static uint32_t shape_of(const exray_tensor_view *view, uint64_t elements, int64_t shape[EXRAY_MAX_RANK])
{
    bool fits = view->count == elements;
    for (uint32_t i = 0; i < view->info.rank; i++) {
        shape[i] = view->info.shape[i];
        fits = fits && shape[i] >= 0;
    }
    if (fits)
        return view->info.rank;
    shape[0] = (int64_t)elements;
    return 1;
}

/* Types that NumPy does not have: 4-bit integers become int8 or uint8, small floats
 * become float32, which holds them exactly. */
static bool add_converted(xr_npz *npz, const char *key, const exray_tensor_view *view)
{
    uint64_t elements = view->size * 8 / exray_dtype_bits(view->info.dtype);
    if (view->count && view->count < elements)
        elements = view->count; /* an odd number of 4-bit ones */
    exray_tensor_info stored = view->info;
    stored.quantization = (exray_quantization){0};
    int64_t shape[EXRAY_MAX_RANK];
    uint32_t rank = shape_of(view, elements, shape);
    float *values = malloc((elements ? elements : 1) * sizeof *values);
    if (!values || exray_tensor_dequantize(&stored, view->data, view->size, elements, values) != EXRAY_OK) {
        free(values);
        return false;
    }
    const char *descr = "<f4";
    size_t size = elements * sizeof *values;
    if (exray_dtype_bits(view->info.dtype) == 4) {
        int8_t *bytes = (int8_t *)values; /* in place: each is written before the values still to be read */
        for (uint64_t i = 0; i < elements; i++) {
            float value = values[i];
            bytes[i] = (int8_t)value;
        }
        descr = view->info.dtype == EXRAY_DTYPE_INT4 ? "|i1" : "|u1";
        size = elements;
    }
    xr_npz_add(npz, key, descr, shape, rank, values, size);
    free(values);
    return true;
}

static bool add_record(xr_npz *npz, const exray_log *log, const exray_record *record, exray_slot *slot,
                       bool dequantize, exray_error *error)
{
    char key[512];
    exray_tensor_view view;
    int64_t shape[EXRAY_MAX_RANK];
    exray_status status = exray_log_read_tensor(log, record, slot, &view, error);
    if (status != EXRAY_OK)
        return false;
    key_of(record, key, sizeof key);
    if (dequantize && view.info.quantization.count) {
        const float *values;
        if (exray_log_read_values(log, record, slot, &view, &values, error) != EXRAY_OK)
            return false;
        uint32_t rank = shape_of(&view, view.count, shape);
        xr_npz_add(npz, key, "<f4", shape, rank, values, view.count * sizeof *values);
        return true;
    }
    const char *descr = descr_of(view.info.dtype);
    if (!descr && exray_dtype_bits(view.info.dtype)) {
        if (add_converted(npz, key, &view))
            return true;
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory while exporting %s", record->topic);
        return false;
    }
    /* Bytes of no numeric type (files, strings) or that do not divide evenly. */
    size_t width = descr ? exray_dtype_bits(view.info.dtype) / 8 : 1;
    if (view.size % width)
        width = 1;
    if (!descr || width != exray_dtype_bits(view.info.dtype) / 8)
        descr = "|u1";
    uint32_t rank = shape_of(&view, view.size / width, shape);
    xr_npz_add(npz, key, descr, shape, rank, view.data, view.size);
    return true;
}

static bool has_tensors(const exray_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (records[i].message == EXRAY_MESSAGE_TENSOR && records[i].has_data)
            return true;
    return false;
}

static bool write_file(const exray_log *log, const char *path, const exray_record *records, size_t count,
                       exray_slot *slot, bool dequantize, uint64_t *skipped)
{
    xr_npz *npz = xr_npz_open(path);
    if (!npz) {
        xr_fail("cannot write %s: %s", path, strerror(errno));
        return false;
    }
    exray_error error;
    for (size_t i = 0; i < count; i++)
        if (records[i].message == EXRAY_MESSAGE_TENSOR && records[i].has_data &&
            !add_record(npz, log, &records[i], slot, dequantize, &error))
            xr_export_skip(&error, skipped);
    const bool good = xr_npz_close(npz) && !xr_memory_lacks();
    if (good)
        return true;
    if (xr_memory_lacks())
        xr_fail_for_memory(path);
    else
        xr_fail("cannot write %s: %s", path, strerror(errno));
    unlink(path);
    return false;
}

static bool write_all(const exray_log *log, const char *folder, char *path, size_t path_size,
                      exray_slot *slot, bool dequantize, uint64_t *skipped)
{
    size_t count;
    const exray_record *records = exray_log_constants(log, &count);
    if (has_tensors(records, count)) {
        snprintf(path, path_size, "%s/constants.npz", folder);
        if (!write_file(log, path, records, count, slot, dequantize, skipped))
            return false;
    }
    for (size_t f = 0; f < exray_log_frame_count(log); f++) {
        const exray_frame *frame = exray_log_frame(log, f);
        records = exray_log_records_in(log, f, slot, &count);
        if (!has_tensors(records, count))
            continue;
        snprintf(path, path_size, "%s/frame-%06" PRIu64 ".npz", folder, frame->index);
        if (!write_file(log, path, records, count, slot, dequantize, skipped))
            return false;
    }
    return true;
}

/* The frame of "frame-000012.npz"; false: not such a name. */
static bool frame_of(const char *name, uint64_t *frame)
{
    char again[48];
    if (sscanf(name, "frame-%" SCNu64 ".npz", frame) != 1)
        return false;
    snprintf(again, sizeof again, "frame-%06" PRIu64 ".npz", *frame);
    return strcmp(name, again) == 0;
}

static bool writes_frame(const exray_log *log, uint64_t index)
{
    size_t low = 0, high = exray_log_frame_count(log);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const exray_frame *frame = exray_log_frame(log, middle);
        if (frame->index == index)
            return has_tensors(exray_log_records(log, middle), frame->record_count);
        *(frame->index < index ? &low : &high) = middle + (frame->index < index);
    }
    return false;
}

/* Existing frames of another log would look like frames of this one. */
static bool is_free_of_others(const exray_log *log, const char *folder)
{
    size_t constants;
    const exray_record *records = exray_log_constants(log, &constants);
    bool writes_constants = has_tensors(records, constants), good = true;
    DIR *open = opendir(folder);
    for (const struct dirent *entry; open && good && (entry = readdir(open));) {
        uint64_t frame;
        good = frame_of(entry->d_name, &frame)
                   ? writes_frame(log, frame)
                   : writes_constants || strcmp(entry->d_name, "constants.npz") != 0;
        if (!good)
            xr_fail("%s has %s, which this log has not: give another folder, or empty it", folder,
                    entry->d_name);
    }
    if (open)
        closedir(open);
    return good;
}

bool xr_export_npz(const exray_log *log, const char *folder, bool dequantize, uint64_t *skipped)
{
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        xr_fail("cannot make the folder %s: %s", folder, strerror(errno));
        return false;
    }
    if (!is_free_of_others(log, folder))
        return false;
    exray_slot *slot = exray_slot_new();
    size_t path_size = strlen(folder) + 48;
    char *path = malloc(path_size);
    bool good = false;
    if (slot && path)
        good = write_all(log, folder, path, path_size, slot, dequantize, skipped);
    else
        xr_fail("out of memory while exporting %s", exray_log_path(log));
    free(path);
    exray_slot_free(slot);
    return good;
}
