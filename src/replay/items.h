/* Where the frames of a run come from: files on disk (record) or the sensor
 * records of a log (replay). */
#ifndef XR_ITEMS_H
#define XR_ITEMS_H

#include "pipeline/audio.h"
#include "pipeline/audio_plan.h"
#include "replay/truth/truth.h"

#include <exray/log.h>

/* A recorded input of a model. */
typedef struct xr_item_input {
    const char *name;
    exray_tensor_info info; /* the record's */
    const void *data;
    size_t size;
} xr_item_input;

/* One thing to run the model on.  Borrowed until the next call of `next`. */
typedef struct xr_item {
    const char *source; /* Frame.source */
    bool has_index;     /* replay: the index of the edge's frame */
    uint64_t index;
    bool has_label;
    int64_t label;
    const char *sensor; /* NAME of the sensor record */
    exray_media media;  /* format "": detected from the bytes */
    const void *data;
    size_t size;
    const xr_sound_around *around; /* of a sound that is a part of a recording; NULL: of a whole one */
    bool resets;                   /* the application reset the model's state before it (/event) */
    bool from_input;               /* the inputs that the edge recorded, not the sensor's data */
    const double *region; /* /reading/region of the frame: the middle's x and y, width, height, degrees
                             clockwise; NULL: none */
    bool region_in_pixels;
    const xr_item_input *inputs;
    size_t input_count;
} xr_item;

typedef enum xr_next { XR_NEXT_ITEM, XR_NEXT_BROKEN, XR_NEXT_END } xr_next;

typedef struct xr_items xr_items;
struct xr_items {
    /* BROKEN: this one cannot be read; error says why, item->source which. */
    xr_next (*next)(xr_items *self, xr_item *item, exray_error *error);
    bool from_input; /* they are recorded inputs of a model */
    size_t count;    /* how many there are, broken ones included */
    xr_truth *truth; /* NULL: none */
    /* Of the pipeline, set before the first `next`: a recording becomes its windows; NULL: none. */
    const xr_audio *audio;
    bool texts; /* likewise: it reads texts */
    void (*free)(xr_items *self);
};

/* Files: `data` is a folder (its pictures, or sounds where the pipeline has
 * `audio`, sorted by name, subfolders too), one file, or a list (*.txt: one file
 * a line, relative to the list).  `labels` is
 * NULL or what is true of them (xr_truth_load).  NULL on failure. */
xr_items *xr_items_from_files(const char *data, const char *labels, exray_error *error);

/* The same of a folder of texts: each of its files is one. */
xr_items *xr_items_from_text_folder(const char *folder, const char *labels, exray_error *error);

/* The sensor records (or, with from_input, the model inputs) of a log.  `sensor`
 * picks one by name; NULL: the first of each frame.  `labels` (NULL: those of the
 * log) is what is true of the frames, by their source. */
xr_items *xr_items_from_log(const exray_log *log, bool from_input, const char *sensor, const char *labels,
                            exray_error *error);

#endif
