#include "checks/model/weights/weight_order.h"

#include "checks/port/both_sides.h"
#include "checks/port/row_order.h"

/* Single values of a type this coarse are found in any order by chance. */
#define FINE 1e-3

exray_status xr_weight_find_order(const exray_tensor_view view[2], const float *const values[2],
                                  double factor, xr_weight_pair *pair)
{
    enum { FEWEST = 8, MOST_ROWS = 1 << 16 };
    exray_status status = EXRAY_OK;
    if (!xr_same_shape(&view[0].info, &view[1].info) || !xr_weights_may_be_equal(pair, pair, factor))
        return status;
    for (uint32_t axis = 0; axis < view[1].info.rank && !pair->order && status == EXRAY_OK; axis++) {
        xr_row_slices rows;
        if (!xr_rows_along(&view[1], axis, &rows) || rows.rows < 2 || rows.rows > MOST_ROWS ||
            view[0].count != view[1].count || (rows.outer * rows.inner < FEWEST && pair->rounding > FINE))
            continue;
        status = xr_rows_find_order(values, &rows, factor * pair->rounding * pair->unit, &pair->order);
        pair->along = axis;
        pair->slices = rows.rows;
    }
    return status;
}
