/* How alike the values of an input (output) of one log and one of the other are, by samples of a few
 * matched frames. */
#ifndef XR_PORT_VALUES_H
#define XR_PORT_VALUES_H

#include <exray/assertion.h>

typedef struct xr_port_values xr_port_values; /* of one side's port */

/* Reads the port `name` of a side.  NULL: out of memory. */
xr_port_values *xr_port_values_read(const exray_comparison *comparison, exray_side side, exray_kind kind,
                                    const char *name);
void xr_port_values_free(xr_port_values *values);

/* What is known of the tensor, of the first frame that has it; NULL: nothing. */
const exray_tensor_info *xr_port_info(const xr_port_values *values);

typedef struct xr_port_likeness {
    bool fits;          /* as many elements, in shapes that correspond */
    bool known;         /* values (or statistics) of both */
    double error;       /* rmse / deviation of the reference's; 0: equal */
    double correlation; /* -1 to 1 */
} xr_port_likeness;

xr_port_likeness xr_ports_alike(const xr_port_values *edge, const xr_port_values *reference);

#endif
