/* How well both sides do the task: every measure of every task that they told something of. */
#ifndef XR_TASK_MEASURES_H
#define XR_TASK_MEASURES_H

#include "compare/comparison.h"

/* Fills c->measures with those of all tasks but classification, whose decisions are in c->accuracy. */
exray_status xr_judge_tasks(exray_comparison *comparison, exray_error *error);

#endif
