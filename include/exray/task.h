/* Tasks: what a model's outputs mean.  A task decides what the user is told by the outputs, and measures how
 * two such results, or a result and the truth, agree.  Those of the library are in a table; a plug-in or a
 * program can have tasks of its own of the same kind.  Any thread. */
#ifndef EXRAY_TASK_H
#define EXRAY_TASK_H

#include <exray/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* How outputs are read: the keys `output:` of a pipeline.  Zero is the default.  Strings and arrays are
 * borrowed.  Since 0.2.0. */
typedef struct exray_task_options {
    uint32_t size;             /* sizeof(exray_task_options) */
    int64_t label_offset;      /* class = position in the output - label_offset */
    uint32_t top_k;            /* classes that are told; 0: 5 */
    const char *const *labels; /* [label_count] the name of each class */
    size_t label_count;
    /* How raw outputs are read: of text "ctc"; of detection "ssd", "yolo5", "yolo8", "palm"; of keypoints
     * "points".  NULL, "none": outputs are read as they are. */
    const char *head;
    float threshold; /* the least score that is told; 0: 0.5 of a raw head and of many labels, else none;
                        below 0: none */
    float nms; /* of a raw head: boxes of a class that overlap (IoU) by more are one; 0: 0.45 (palm 0.3);
                  1: none are */
    uint32_t classes; /* of a raw head (of points: how many there are); 0: all that its output has room for */
    bool sigmoid;     /* of a raw head and of many labels: scores are before the sigmoid */
    const char *boxes;    /* "ORDER [shares|pixels]": xyxy, yxyx, xywh, cxcywh, cycxhw; NULL: the head's */
    const float *anchors; /* [anchor_count][4] of ssd, palm: shares of the picture in the order of `boxes`
                             (y, x, height, width) */
    size_t anchor_count;
    uint32_t input_width, input_height; /* of the picture that the model takes; 0: not known.  Pixels are
                                           taken as shares of it */
} exray_task_options;

/* exray_task_options options = EXRAY_TASK_OPTIONS_INIT;  Since 0.2.0. */
#define EXRAY_TASK_OPTIONS_INIT                                                                              \
    {                                                                                                        \
        sizeof(exray_task_options), 0, 0, NULL, 0, NULL, 0, 0, 0, false, NULL, NULL, 0, 0, 0                 \
    }

/* An output of a frame, as real numbers.  Since 0.2.0. */
typedef struct exray_task_output {
    const exray_tensor_info *info;
    const float *values; /* [count] dequantized, in C order; NULL: not known */
    uint64_t count;
} exray_task_output;

/* The memory that a result lives in: what exray_told_room gives is valid until the next clear.  NULL: out of
 * memory; room is zeroed.  Since 0.2.0. */
typedef struct exray_told exray_told;
exray_told *exray_told_new(void);
void exray_told_free(exray_told *told);
void exray_told_clear(exray_told *told);
void *exray_told_room(exray_told *told, size_t count, size_t size);

/* A measure of how results agree with others, over all frames that were compared.  Since 0.2.0. */
typedef struct exray_task_measure {
    const char *name; /* "top1", "miou", ...: a constant */
    const char *unit; /* "share", "pixels": a constant */
    bool higher;      /* is better */
    char group[48];   /* which part of the results, such as a class; "": all */
    uint64_t frames;  /* in which both had something to compare */
    double value;     /* NAN: nothing could be compared */
} exray_task_measure;

/* A task.  Since 0.2.0. */
typedef struct exray_task {
    uint32_t size;    /* sizeof(exray_task) */
    const char *name; /* "classification", ... */

    /* Whether outputs of such types and shapes are of the task; where not, or where something is odd, `why`
     * gets a line. */
    bool (*fits)(const exray_task_options *options, const exray_tensor_info *const *outputs, size_t count,
                 char *why, size_t why_size);
    /* What the user is told by these outputs.  EXRAY_E_UNSUPPORTED: they are not of the task (no message);
     * EXRAY_E_FORMAT: they contradict each other; EXRAY_E_MEMORY. */
    exray_status (*decide)(const exray_task_options *options, const exray_task_output *outputs, size_t count,
                           exray_told *told, exray_result *out, exray_error *error);
    /* Whether a result is one of the task. */
    bool (*has)(const exray_result *result);

    /* Begins to compare; NULL: out of memory.  `compare` adds a frame: what was told, and what the other side
     * told or the truth.  `measure` fills at most `most` measures, the chief one first, and returns how many.
     */
    void *(*begin)(const exray_task_options *options);
    void (*compare)(void *state, const exray_result *told, const exray_result *other);
    size_t (*measure)(const void *state, exray_task_measure *out, size_t most);
    void (*end)(void *state);
} exray_task;

/* Adds a task of one's own behind those of the library; its name begins with "user." (a-z, 0-9, '_', '.'),
 * all functions are there, and the struct stays where it is.  A log's metadata `task`, or `task:` of a
 * pipeline, name it.  A task that is there already is no error.  EXRAY_E_ARGUMENT: it lacks something, or
 * another has its name; EXRAY_E_LIMIT: there are 16.  One thread at a time, before logs are compared.  Since
 * 0.2.0. */
exray_status exray_task_register(const exray_task *task, exray_error *error);

/* Loads a shared library and registers the tasks that it exports with EXRAY_PLUGIN_TASKS; it stays loaded.
 * Its code runs in this process: load what you trust.  *count: how many there are; 0 where it exports none.
 * Since 0.2.0. */
exray_status exray_task_load(const char *path, size_t *count, exray_error *error);

/* What a plug-in exports, in C and in C++, once and outside of every namespace:
 * EXRAY_PLUGIN_TASKS(&first, &second);  Since 0.2.0. */
#if defined(__GNUC__)
#define EXRAY_TASK_VISIBLE __attribute__((visibility("default")))
#else
#define EXRAY_TASK_VISIBLE
#endif
#ifdef __cplusplus
#define EXRAY_PLUGIN_TASKS(...)                                                                              \
    extern "C" {                                                                                             \
    extern EXRAY_TASK_VISIBLE const exray_task *const exray_plugin_tasks[];                                  \
    }                                                                                                        \
    const exray_task *const exray_plugin_tasks[] = {__VA_ARGS__, NULL}
#else
#define EXRAY_PLUGIN_TASKS(...)                                                                              \
    extern EXRAY_TASK_VISIBLE const exray_task *const exray_plugin_tasks[];                                  \
    const exray_task *const exray_plugin_tasks[] = {__VA_ARGS__, NULL}
#endif

/* The task at position i, those of the library first, or NULL beyond the end; the one of that name, or NULL.
 * Since 0.2.0. */
const exray_task *exray_task_at(size_t i);
const exray_task *exray_task_named(const char *name);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
