#include "task.h"

#include <stdio.h>
#include <stdlib.h>

/* In the module that cffi makes.  What Python raises is kept there: these then say no, or nothing. */
bool xr_py_task_fits(int task, const exray_tensor_info *const *outputs, size_t count, char *why,
                     size_t why_size);
exray_status xr_py_task_decide(int task, const exray_task_output *outputs, size_t count, exray_told *told,
                               exray_result *out, exray_error *error);
bool xr_py_task_has(int task, const exray_result *result);
/* A number for sums that end() forgets; 0: none. */
uint64_t xr_py_task_begin(int task);
void xr_py_task_compare(int task, uint64_t sums, const exray_result *told, const exray_result *other);
size_t xr_py_task_measure(int task, uint64_t sums, exray_task_measure *out, size_t most);
void xr_py_task_end(int task, uint64_t sums);

typedef struct sums_of {
    int task;
    uint64_t number;
} sums_of;

static void *begin(int task)
{
    sums_of *sums = malloc(sizeof *sums);
    if (sums)
        *sums = (sums_of){task, xr_py_task_begin(task)};
    return sums;
}

static void compare(void *state, const exray_result *told, const exray_result *other)
{
    const sums_of *sums = state;
    if (sums->number)
        xr_py_task_compare(sums->task, sums->number, told, other);
}

static size_t measure(const void *state, exray_task_measure *out, size_t most)
{
    const sums_of *sums = state;
    return sums->number ? xr_py_task_measure(sums->task, sums->number, out, most) : 0;
}

static void end(void *state)
{
    const sums_of *sums = state;
    if (sums && sums->number)
        xr_py_task_end(sums->task, sums->number);
    free(state);
}

#define FUNCTIONS(N)                                                                                         \
    static bool fits_##N(const exray_task_options *options, const exray_tensor_info *const *outputs,         \
                         size_t count, char *why, size_t why_size)                                           \
    {                                                                                                        \
        (void)options;                                                                                       \
        return xr_py_task_fits(N, outputs, count, why, why_size);                                            \
    }                                                                                                        \
    static exray_status decide_##N(const exray_task_options *options, const exray_task_output *outputs,      \
                                   size_t count, exray_told *told, exray_result *out, exray_error *error)    \
    {                                                                                                        \
        (void)options;                                                                                       \
        *out = (exray_result){.text = ""};                                                                   \
        return xr_py_task_decide(N, outputs, count, told, out, error);                                       \
    }                                                                                                        \
    static bool has_##N(const exray_result *result)                                                          \
    {                                                                                                        \
        return xr_py_task_has(N, result);                                                                    \
    }                                                                                                        \
    static void *begin_##N(const exray_task_options *options)                                                \
    {                                                                                                        \
        (void)options;                                                                                       \
        return begin(N);                                                                                     \
    }

FUNCTIONS(0)
FUNCTIONS(1)
FUNCTIONS(2)
FUNCTIONS(3)
FUNCTIONS(4)
FUNCTIONS(5)
FUNCTIONS(6)
FUNCTIONS(7)
FUNCTIONS(8)
FUNCTIONS(9)
FUNCTIONS(10)
FUNCTIONS(11)
FUNCTIONS(12)
FUNCTIONS(13)
FUNCTIONS(14)
FUNCTIONS(15)

enum { MOST = 16, NAME = 64 };

#define TASK(N)                                                                                              \
    {                                                                                                        \
        sizeof(exray_task), names[N], fits_##N, decide_##N, has_##N, begin_##N, compare, measure, end        \
    }

static char names[MOST][NAME];
static const exray_task tasks[MOST] = {TASK(0),  TASK(1),  TASK(2),  TASK(3), TASK(4),  TASK(5),
                                       TASK(6),  TASK(7),  TASK(8),  TASK(9), TASK(10), TASK(11),
                                       TASK(12), TASK(13), TASK(14), TASK(15)};

exray_status xr_py_task_register(int number, const char *name, exray_error *error)
{
    snprintf(names[number], NAME, "%s", name);
    return exray_task_register(&tasks[number], error);
}
