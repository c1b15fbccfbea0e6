#define _POSIX_C_SOURCE 200809L
#include "replay/truth/coco.h"

#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json_reader.h"
#include "replay/truth/file_index.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BOXES = 10000, NAME = 1024, KEY = 32 };

typedef struct coco_image {
    int64_t id;
    char *file;
    double width, height;
    size_t first, count; /* of its annotations, which are sorted by picture */
} coco_image;

typedef struct coco_category {
    int64_t id;
    char *name;
} coco_category;

typedef struct coco_annotation {
    int64_t image, category;
    double box[4];
    size_t number; /* in the file */
    bool crowd;
} coco_annotation;

struct xr_coco {
    const char *path;
    coco_image *image;       /* sorted by id */
    coco_category *category; /* likewise */
    coco_annotation *annotation;
    size_t images, image_room, categories, category_room, annotations, annotation_room;
    size_t number; /* annotations that were read */
    xr_file_index index;
    exray_error *error;
};

static bool fail(xr_coco *coco, exray_status status, const char *what)
{
    xr_error_set(coco->error, status, "%.200s: %.250s", coco->path, what);
    return false;
}

static bool no_memory(xr_coco *coco)
{
    return fail(coco, EXRAY_E_MEMORY, "out of memory");
}

/* ---- Reading ---- */

static bool read_id(xr_json_reader *json, int64_t *out)
{
    double number;
    if (!xr_json_number(json, &number))
        return false;
    if (!(fabs(number) < 9007199254740992.0) || number != floor(number)) {
        json->fault = "an id that is no whole number";
        return false;
    }
    *out = (int64_t)number;
    return true;
}

/* A name; NULL: a fault, or out of memory. */
static char *read_name(xr_json_reader *json)
{
    char name[NAME];
    size_t size;
    if (!xr_json_text(json, name, sizeof name, &size))
        return NULL;
    if (size >= sizeof name) {
        json->fault = "a name of more than 1,000 bytes";
        return NULL;
    }
    return strdup(name);
}

/* Reads a value of the key into *name, once. */
static bool take_name(xr_json_reader *json, char **name)
{
    free(*name);
    *name = read_name(json);
    return *name != NULL;
}

static bool read_image(xr_coco *coco, xr_json_reader *json)
{
    coco_image *grown = xr_array_grow(coco->image, coco->images, &coco->image_room, sizeof *grown);
    if (!grown)
        return no_memory(coco);
    coco->image = grown;
    coco_image *image = &coco->image[coco->images++];
    *image = (coco_image){.id = INT64_MIN, .width = NAN, .height = NAN};
    char key[KEY];
    if (!xr_json_enter(json, '{'))
        return false;
    while (xr_json_key(json, key, sizeof key)) {
        const bool good = strcmp(key, "id") == 0          ? read_id(json, &image->id)
                          : strcmp(key, "file_name") == 0 ? take_name(json, &image->file)
                          : strcmp(key, "width") == 0     ? xr_json_number(json, &image->width)
                          : strcmp(key, "height") == 0    ? xr_json_number(json, &image->height)
                                                          : xr_json_skip(json);
        if (!good)
            return false;
    }
    if (!json->fault && (image->id == INT64_MIN || !image->file))
        json->fault = "a picture without id or file_name";
    if (!json->fault &&
        !(image->width >= 1 && image->height >= 1 && image->width < 1e9 && image->height < 1e9))
        json->fault = "a picture without width and height";
    return !json->fault;
}

static bool read_category(xr_coco *coco, xr_json_reader *json)
{
    coco_category *grown =
        xr_array_grow(coco->category, coco->categories, &coco->category_room, sizeof *grown);
    if (!grown)
        return no_memory(coco);
    coco->category = grown;
    coco_category *category = &coco->category[coco->categories++];
    *category = (coco_category){.id = INT64_MIN};
    char key[KEY];
    if (!xr_json_enter(json, '{'))
        return false;
    while (xr_json_key(json, key, sizeof key)) {
        const bool good = strcmp(key, "id") == 0     ? read_id(json, &category->id)
                          : strcmp(key, "name") == 0 ? take_name(json, &category->name)
                                                     : xr_json_skip(json);
        if (!good)
            return false;
    }
    if (!json->fault && category->id == INT64_MIN)
        json->fault = "a category without id";
    return !json->fault;
}

/* *count: how many numbers there are. */
static bool read_box(xr_json_reader *json, double box[4], size_t *count)
{
    double number;
    *count = 0;
    if (!xr_json_enter(json, '['))
        return false;
    while (xr_json_item(json) && xr_json_number(json, &number)) {
        if (*count < 4)
            box[*count] = number;
        ++*count;
    }
    return !json->fault;
}

static bool is_box(const double box[4])
{
    for (int i = 0; i < 4; i++)
        if (!(fabs(box[i]) < 1e9))
            return false;
    return box[2] >= 0 && box[3] >= 0;
}

/* Annotations without a box, such as captions, say nothing here. */
static bool read_annotation(xr_coco *coco, xr_json_reader *json)
{
    coco_annotation a = {.image = INT64_MIN, .category = INT64_MIN, .number = ++coco->number};
    size_t count = 0;
    bool has_box = false;
    char key[KEY];
    if (!xr_json_enter(json, '{'))
        return false;
    while (xr_json_key(json, key, sizeof key)) {
        const bool is_bbox = strcmp(key, "bbox") == 0;
        const bool good = is_bbox                           ? read_box(json, a.box, &count)
                          : strcmp(key, "image_id") == 0    ? read_id(json, &a.image)
                          : strcmp(key, "category_id") == 0 ? read_id(json, &a.category)
                          : strcmp(key, "iscrowd") == 0     ? xr_json_flag(json, &a.crowd)
                                                            : xr_json_skip(json);
        if (!good)
            return false;
        has_box = has_box || is_bbox;
    }
    if (json->fault || !has_box)
        return !json->fault;
    char what[120];
    if (count != 4 || !is_box(a.box)) {
        snprintf(what, sizeof what,
                 "annotation %zu has a bbox that is not 4 finite numbers x, y, width, height", a.number);
        return fail(coco, EXRAY_E_FORMAT, what);
    }
    coco_annotation *grown =
        xr_array_grow(coco->annotation, coco->annotations, &coco->annotation_room, sizeof *grown);
    if (!grown)
        return no_memory(coco);
    coco->annotation = grown;
    coco->annotation[coco->annotations++] = a;
    return true;
}

static bool read_list(xr_coco *coco, xr_json_reader *json, bool (*read)(xr_coco *, xr_json_reader *))
{
    if (!xr_json_enter(json, '['))
        return false;
    while (xr_json_item(json))
        if (!read(coco, json))
            return false;
    return !json->fault;
}

static bool read_all(xr_coco *coco, xr_json_reader *json)
{
    char key[KEY];
    if (!xr_json_enter(json, '{'))
        return false;
    while (xr_json_key(json, key, sizeof key)) {
        const bool good = strcmp(key, "images") == 0        ? read_list(coco, json, read_image)
                          : strcmp(key, "categories") == 0  ? read_list(coco, json, read_category)
                          : strcmp(key, "annotations") == 0 ? read_list(coco, json, read_annotation)
                                                            : xr_json_skip(json);
        if (!good)
            return false;
    }
    return !json->fault;
}

/* ---- Joining what was read ---- */

static int order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int images_by_id(const void *a, const void *b)
{
    return order(((const coco_image *)a)->id, ((const coco_image *)b)->id);
}

static int categories_by_id(const void *a, const void *b)
{
    return order(((const coco_category *)a)->id, ((const coco_category *)b)->id);
}

static int annotations_by_image(const void *x, const void *y)
{
    const coco_annotation *a = x, *b = y;
    return a->image != b->image ? order(a->image, b->image) : order((int64_t)a->number, (int64_t)b->number);
}

static const coco_category *category_of(const xr_coco *coco, int64_t id)
{
    const coco_category key = {.id = id};
    return coco->categories ? bsearch(&key, coco->category, coco->categories, sizeof key, categories_by_id)
                            : NULL;
}

/* Gives each picture its annotations; both are sorted. */
static bool join_annotations(xr_coco *coco)
{
    char what[200];
    size_t at = 0;
    for (size_t i = 0; i < coco->annotations; i++) {
        const coco_annotation *a = &coco->annotation[i];
        while (at < coco->images && coco->image[at].id < a->image)
            at++;
        const bool known = at < coco->images && coco->image[at].id == a->image;
        if (!known || !category_of(coco, a->category)) {
            snprintf(what, sizeof what, "annotation %zu is of %s %lld, which the file does not list",
                     a->number, known ? "category" : "picture", (long long)(known ? a->category : a->image));
            return fail(coco, EXRAY_E_FORMAT, what);
        }
        coco_image *image = &coco->image[at];
        image->first = image->count ? image->first : i;
        if (++image->count > MOST_BOXES) {
            snprintf(what, sizeof what, "%.100s has more than %d boxes, the most of one picture", image->file,
                     MOST_BOXES);
            return fail(coco, EXRAY_E_LIMIT, what);
        }
    }
    return true;
}

static void sort_by_id(xr_coco *coco)
{
    if (coco->images)
        qsort(coco->image, coco->images, sizeof *coco->image, images_by_id);
    if (coco->categories)
        qsort(coco->category, coco->categories, sizeof *coco->category, categories_by_id);
    if (coco->annotations)
        qsort(coco->annotation, coco->annotations, sizeof *coco->annotation, annotations_by_image);
}

static bool join(xr_coco *coco)
{
    char what[200];
    if (coco->images == 0)
        return fail(coco, EXRAY_E_FORMAT,
                    "no \"images\": COCO's annotations list images, annotations, categories");
    if (coco->annotations == 0 && coco->number)
        return fail(coco, EXRAY_E_FORMAT, "not one of its annotations has a bbox");
    sort_by_id(coco);
    for (size_t i = 1; i < coco->images; i++)
        if (coco->image[i].id == coco->image[i - 1].id) {
            snprintf(what, sizeof what, "two pictures have the id %lld", (long long)coco->image[i].id);
            return fail(coco, EXRAY_E_FORMAT, what);
        }
    for (size_t i = 0; i < coco->images; i++)
        if (!xr_file_index_add(&coco->index, coco->image[i].file, i))
            return no_memory(coco);
    if (!xr_file_index_sort(&coco->index))
        return no_memory(coco);
    const char *twice = xr_file_index_twice(&coco->index);
    if (twice) {
        snprintf(what, sizeof what, "two pictures have the file_name %.100s", twice);
        return fail(coco, EXRAY_E_FORMAT, what);
    }
    return join_annotations(coco);
}

/* ---- The interface ---- */

xr_coco *xr_coco_read(const char *path, const char *text, size_t size, exray_error *error)
{
    exray_error ignored = {0};
    xr_coco *coco = calloc(1, sizeof *coco);
    if (!coco) {
        xr_error_set(error, EXRAY_E_MEMORY, "%.200s: out of memory", path);
        return NULL;
    }
    coco->path = path;
    coco->error = error ? error : &ignored;
    *coco->error = (exray_error){0};
    xr_json_reader json = xr_json_of(text, size);
    const bool good = read_all(coco, &json) && join(coco);
    if (json.fault)
        xr_error_set(coco->error, EXRAY_E_FORMAT, "%.200s:%zu: not COCO's annotations: %s", path,
                     xr_json_line(&json), json.fault);
    else if (!good && !coco->error->status)
        no_memory(coco);
    coco->path = NULL;
    coco->error = NULL;
    if (good)
        return coco;
    xr_coco_free(coco);
    return NULL;
}

xr_coco *xr_coco_load(const char *path, exray_error *error)
{
    size_t size;
    char *text = xr_file_read(path, XR_LIMIT_ANNOTATIONS, &size, error);
    if (!text)
        return NULL;
    const char *begin = xr_text_begin(text);
    xr_coco *coco = xr_coco_read(path, begin, size - (size_t)(begin - text), error);
    free(text);
    return coco;
}

bool xr_coco_has(const xr_coco *coco, const char *file)
{
    size_t at;
    return xr_file_index_find(&coco->index, file, &at);
}

exray_status xr_coco_result(const xr_coco *coco, const char *file, exray_told *told, exray_result *out,
                            exray_error *error)
{
    size_t at;
    *out = (exray_result){0};
    if (!xr_file_index_find(&coco->index, file, &at))
        return EXRAY_E_STATE;
    const coco_image *image = &coco->image[at];
    exray_box *boxes = exray_told_room(told, image->count + 1, sizeof *boxes);
    if (!boxes)
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory for the boxes of %.200s", file);
    for (size_t i = 0; i < image->count; i++) {
        const coco_annotation *a = &coco->annotation[image->first + i];
        boxes[i] = (exray_box){.x_min = (float)(a->box[0] / image->width),
                               .y_min = (float)(a->box[1] / image->height),
                               .x_max = (float)((a->box[0] + a->box[2]) / image->width),
                               .y_max = (float)((a->box[1] + a->box[3]) / image->height),
                               .id = a->category,
                               .label = category_of(coco, a->category)->name,
                               .crowd = a->crowd};
    }
    out->boxes = boxes;
    out->box_count = (uint32_t)image->count;
    return EXRAY_OK;
}

size_t xr_coco_count(const xr_coco *coco)
{
    return coco->images;
}

void xr_coco_free(xr_coco *coco)
{
    if (!coco)
        return;
    for (size_t i = 0; i < coco->images; i++)
        free(coco->image[i].file);
    for (size_t i = 0; i < coco->categories; i++)
        free(coco->category[i].name);
    free(coco->image);
    free(coco->category);
    free(coco->annotation);
    xr_file_index_free(&coco->index);
    free(coco);
}
