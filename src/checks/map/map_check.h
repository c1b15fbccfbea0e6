/* Output maps behind equal inputs that are the reference's mirrored, turned, transposed or shifted; called by
 * output.order. */
#ifndef XR_MAP_CHECK_H
#define XR_MAP_CHECK_H

#include <exray/assertion.h>

/* Reports output.order for each such output, and marks it as reordered. */
exray_status xr_check_maps(const exray_comparison *comparison, exray_findings *findings, exray_error *error);

#endif
