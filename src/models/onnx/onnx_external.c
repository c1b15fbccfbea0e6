/* The model is written again, message by message: what does not hold a tensor is copied as it is, and a
 * TensorProto with external_data gets raw_data in its place. */
#define _XOPEN_SOURCE 700
#include "models/onnx/onnx_external.h"

#include "models/onnx/byte_writer.h"
#include "models/onnx/onnx.h"
#include "models/refuse.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MAX_DEPTH = 64,      /* graphs within graphs */
    LOCATION_SIZE = 512, /* bytes of a path within the folder */
};

/* A protobuf message has at most as many bytes. */
#define MOST_BYTES ((uint64_t)INT32_MAX)

typedef struct completion {
    char *folder;   /* the model's, without links */
    char *home;     /* that of the file that the model's name leads to; the same where that is no link */
    uint64_t added; /* bytes of tensors so far */
    exray_error *error;
    exray_status status;
} completion;

static bool refuse(completion *c, exray_status status, const char *location, const char *why)
{
    if (!c->status)
        c->status = xr_refuse(c->error, status, "its external data %.200s: %.200s", location, why);
    return false;
}

/* What follows could not be copied, and must not be left out. */
static bool refuse_damaged(completion *c)
{
    if (!c->status)
        c->status = xr_refuse(c->error, EXRAY_E_FORMAT, "the file is damaged or cut short");
    return false;
}

/* ---- The file --------------------------------------------------------------------------- */

/* Where a TensorProto's data lie. */
typedef struct place {
    char location[LOCATION_SIZE];
    uint64_t offset, length;
    bool has_length;
} place;

static bool number_of(xr_span text, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || *out > (UINT64_MAX - 9) / 10)
            return false;
        *out = *out * 10 + (uint64_t)(text.data[i] - '0');
    }
    return text.size > 0;
}

static bool read_entry(completion *c, const xr_pb_field *entry, place *p)
{
    xr_span key = {0}, value = {0};
    xr_pb pb = xr_pb_begin(entry->data, entry->size);
    for (xr_pb_field f; xr_pb_next(&pb, &f);) {
        if (xr_pb_is(&f, 1, XR_PB_BYTES))
            key = (xr_span){f.data, f.size};
        if (xr_pb_is(&f, 2, XR_PB_BYTES))
            value = (xr_span){f.data, f.size};
    }
    bool ok = !pb.bad;
    if (xr_onnx_is(key, "location")) {
        ok = ok && value.size < sizeof p->location && !(value.size && memchr(value.data, 0, value.size));
        if (ok) {
            if (value.size)
                memcpy(p->location, value.data, value.size);
            p->location[value.size] = '\0';
        }
    } else if (xr_onnx_is(key, "offset"))
        ok = ok && number_of(value, &p->offset);
    else if (xr_onnx_is(key, "length"))
        ok = ok && (p->has_length = number_of(value, &p->length));
    return ok ||
           refuse(c, EXRAY_E_FORMAT, p->location, "where it lies is not said in a way that can be read");
}

/* A path below the folder, in its plain form. */
static bool stays_within(const char *location)
{
    if (!*location || *location == '/' || strchr(location, '\\'))
        return false;
    for (const char *part = location; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
            return false;
    }
    return true;
}

/* Whether a path, without links, leads below a folder. */
static bool lies_below(const char *path, const char *folder)
{
    const size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && (length == 1 || path[length] == '/');
}

/* Opens the file; -1: refused.  It may be a link to where the model's own link leads: caches have both that
 * way. */
static int open_data(completion *c, const char *location)
{
    char path[PATH_MAX], real[PATH_MAX];
    if (!stays_within(location)) {
        refuse(c, EXRAY_E_FORMAT, location, "it is not in the model's own folder");
        return -1;
    }
    int used = snprintf(path, sizeof path, "%s/%s", c->folder, location);
    if (used < 0 || (size_t)used >= sizeof path || !realpath(path, real)) {
        refuse(c, EXRAY_E_IO, location,
               used < 0 || (size_t)used >= sizeof path ? "its path is too long" : strerror(errno));
        return -1;
    }
    if (!lies_below(real, c->folder) && !lies_below(real, c->home)) {
        refuse(c, EXRAY_E_FORMAT, location, "it is a link that leads out of the model's folder");
        return -1;
    }
    int file = open(real, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        refuse(c, EXRAY_E_IO, location, strerror(errno));
    return file;
}

static bool read_all(completion *c, int file, const place *p, uint8_t *to, size_t size)
{
    for (size_t used = 0; used < size;) {
        ssize_t got = pread(file, to + used, size - used, (off_t)(p->offset + used));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return refuse(c, EXRAY_E_IO, p->location,
                          got < 0 ? strerror(errno) : "it is shorter than it was");
        used += (size_t)got;
    }
    return true;
}

static bool put_data(completion *c, const place *p, xr_byte_writer *tensor)
{
    struct stat info;
    int file = open_data(c, p->location);
    if (file < 0)
        return false;
    bool ok = fstat(file, &info) == 0 && S_ISREG(info.st_mode);
    if (!ok)
        refuse(c, EXRAY_E_IO, p->location, "it is no file");
    uint64_t size = ok && info.st_size > 0 ? (uint64_t)info.st_size : 0;
    if (ok && (p->offset > size || (p->has_length && p->length > size - p->offset)))
        ok = refuse(c, EXRAY_E_FORMAT, p->location, "it is shorter than the model says");
    uint64_t length = p->has_length ? p->length : size - p->offset;
    if (ok && length > MOST_BYTES - c->added)
        ok = refuse(c, EXRAY_E_LIMIT, p->location,
                    "the model has more than 2 GiB with it, too much to record");
    uint8_t *to = ok ? xr_byte_writer_room(tensor, 9, (size_t)length) : NULL;
    if (ok && length && !to)
        ok = refuse(c, EXRAY_E_MEMORY, p->location, "out of memory");
    ok = ok && read_all(c, file, p, to, (size_t)length);
    c->added += ok ? length : 0;
    close(file);
    return ok;
}

/* ---- The messages ------------------------------------------------------------------------ */

typedef enum message { MODEL, FUNCTION, GRAPH, NODE, ATTRIBUTE, TENSOR, SPARSE, NO_MESSAGE } message;

/* What a field of a message is, where it may hold a tensor. */
static message field_message(message in, uint32_t number)
{
    static const struct {
        message in;
        uint32_t number;
        message is;
    } fields[] = {
        {MODEL, 7, GRAPH},     {MODEL, 25, FUNCTION},   {FUNCTION, 7, NODE},     {GRAPH, 1, NODE},
        {GRAPH, 5, TENSOR},    {GRAPH, 15, SPARSE},     {NODE, 5, ATTRIBUTE},    {ATTRIBUTE, 5, TENSOR},
        {ATTRIBUTE, 6, GRAPH}, {ATTRIBUTE, 10, TENSOR}, {ATTRIBUTE, 11, GRAPH},  {SPARSE, 1, TENSOR},
        {SPARSE, 2, TENSOR},   {ATTRIBUTE, 22, SPARSE}, {ATTRIBUTE, 23, SPARSE},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields[i].in == in && fields[i].number == number)
            return fields[i].is;
    return NO_MESSAGE;
}

static bool is_external(xr_span tensor)
{
    bool external = false;
    xr_pb pb = xr_pb_begin(tensor.data, tensor.size);
    for (xr_pb_field f; xr_pb_next(&pb, &f);)
        if (xr_pb_is(&f, 14, XR_PB_VARINT))
            external = f.value == 1;
    return external && !pb.bad;
}

/* Whether a message holds a tensor that lies elsewhere. */
static bool holds_external(xr_span bytes, message kind, int depth)
{
    if (kind == TENSOR)
        return is_external(bytes);
    xr_pb pb = xr_pb_begin(bytes.data, bytes.size);
    for (xr_pb_field f; depth && xr_pb_next(&pb, &f);) {
        message inner = f.type == XR_PB_BYTES ? field_message(kind, f.number) : NO_MESSAGE;
        if (inner != NO_MESSAGE && holds_external((xr_span){f.data, f.size}, inner, depth - 1))
            return true;
    }
    return false;
}

static bool put_tensor(completion *c, xr_span bytes, xr_byte_writer *out)
{
    place p = {.location = ""};
    xr_pb pb = xr_pb_begin(bytes.data, bytes.size);
    const uint8_t *begin = pb.at;
    for (xr_pb_field f; xr_pb_next(&pb, &f); begin = pb.at) {
        if (f.number == 13 && f.type == XR_PB_BYTES && !read_entry(c, &f, &p))
            return false;
        if (f.number != 13 && f.number != 14 && f.number != 9)
            xr_byte_writer_put(out, begin, (size_t)(pb.at - begin));
    }
    return pb.bad ? refuse_damaged(c) : put_data(c, &p, out);
}

static bool put_message(completion *c, xr_span bytes, message kind, int depth, xr_byte_writer *out)
{
    xr_pb pb = xr_pb_begin(bytes.data, bytes.size);
    const uint8_t *begin = pb.at;
    bool ok = true;
    for (xr_pb_field f; ok && xr_pb_next(&pb, &f); begin = pb.at) {
        xr_span content = {f.data, f.size};
        message inner = f.type == XR_PB_BYTES ? field_message(kind, f.number) : NO_MESSAGE;
        if (inner == NO_MESSAGE || !holds_external(content, inner, depth)) {
            xr_byte_writer_put(out, begin, (size_t)(pb.at - begin));
            continue;
        }
        xr_byte_writer part = {0};
        ok = inner == TENSOR ? put_tensor(c, content, &part)
                             : put_message(c, content, inner, depth - 1, &part);
        xr_byte_writer_message(out, f.number, &part);
    }
    return ok && pb.bad ? refuse_damaged(c) : ok;
}

/* The folder of a path, without links; NULL: there is none. */
static char *folder_of(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    if (length >= sizeof folder)
        return NULL;
    memcpy(folder, path, length);
    folder[length] = '\0';
    return realpath(slash ? (length ? folder : "/") : ".", NULL);
}

exray_status xr_onnx_complete(const void *data, size_t size, const char *path, xr_model_bytes *out,
                              exray_error *error)
{
    *out = (xr_model_bytes){0};
    xr_span model = {data, size};
    if (!xr_model_format_onnx.recognize(data, size) || !holds_external(model, MODEL, MAX_DEPTH))
        return EXRAY_OK;
    char *real = realpath(path, NULL);
    completion c = {.folder = folder_of(path), .home = real ? folder_of(real) : NULL, .error = error};
    free(real);
    if (!c.folder || !c.home) {
        free(c.folder);
        free(c.home);
        return xr_refuse(error, EXRAY_E_IO, "the folder that its external data should be in: %s",
                         strerror(errno));
    }
    xr_byte_writer w = {0};
    bool ok = put_message(&c, model, MODEL, MAX_DEPTH, &w);
    free(c.folder);
    free(c.home);
    if (ok && (w.failed || w.size > MOST_BYTES)) {
        ok = false;
        c.status = w.failed
                       ? xr_refuse(error, EXRAY_E_MEMORY, "out of memory for its external data")
                       : xr_refuse(error, EXRAY_E_LIMIT, "it has more than 2 GiB with its external data");
    }
    if (ok)
        *out = (xr_model_bytes){w.data, w.size};
    else
        free(w.data);
    return c.status;
}
