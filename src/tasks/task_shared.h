/* What the tasks share. */
#ifndef XR_TASK_SHARED_H
#define XR_TASK_SHARED_H

#include <exray/task.h>
#include <string.h>

/* Elements of a tensor of that shape; 0: unknown, or too many to count. */
uint64_t xr_task_elements(const exray_tensor_info *info);
/* One dimension that is not 1, and more than one element. */
bool xr_task_is_vector(const exray_tensor_info *info);
/* The name of a class, or NULL. */
const char *xr_task_label(const exray_task_options *options, int64_t id);
exray_status xr_task_no_memory(exray_error *error, const char *task);

/* Sums of one measure; its value is sum / weight. */
typedef struct xr_task_mean {
    double sum, weight;
    uint64_t frames;
} xr_task_mean;
void xr_task_add(xr_task_mean *mean, double sum, double weight);
exray_task_measure xr_task_measure_of(const xr_task_mean *mean, const char *name, const char *unit,
                                      bool higher);
/* Names the group of a measure of one class: by its label, or where that is empty by its number. */
void xr_task_of_class(exray_task_measure *measure, const char *label, int id);

/* A value of an output, whose values may lie anywhere in memory. */
static inline float xr_task_value(const float *values, uint64_t i)
{
    float value;
    memcpy(&value, (const char *)values + i * sizeof value, sizeof value);
    return value;
}

#endif
