#include "tasks/heads/rows.h"

#include "tasks/task_shared.h"

#include <math.h>
#include <stdio.h>

bool xr_rows_of(const exray_tensor_info *info, bool wide, uint64_t least, xr_rows *out)
{
    if (info->rank < 2 || info->rank > EXRAY_MAX_RANK || !xr_task_elements(info))
        return false;
    for (uint32_t i = 0; i + 2 < info->rank; i++)
        if (info->shape[i] != 1)
            return false;
    const uint64_t first = (uint64_t)info->shape[info->rank - 2];
    const uint64_t last = (uint64_t)info->shape[info->rank - 1];
    const bool is_exact = (first == least) != (last == least);
    const bool turned = wide && (is_exact ? first == least : last > first);
    *out = (xr_rows){.rows = turned ? last : first,
                     .columns = turned ? first : last,
                     .row_step = turned ? 1 : last,
                     .column_step = turned ? last : 1};
    return out->columns >= least;
}

float xr_rows_at(const xr_rows *rows, uint64_t row, uint64_t column)
{
    return xr_task_value(rows->values, row * rows->row_step + column * rows->column_step);
}

float xr_logistic(float x)
{
    return 1 / (1 + expf(-x));
}

const char *xr_shape_text(const exray_tensor_info *info, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "[");
    for (uint32_t i = 0; i < info->rank && used + 24 < size; i++)
        used +=
            (size_t)snprintf(text + used, size - used, "%s%lld", i ? ", " : "", (long long)info->shape[i]);
    snprintf(text + used, size - used, "]");
    return text;
}
