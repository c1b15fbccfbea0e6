/* Which inputs (outputs) of the edge have the values that another one has in the reference. */
#ifndef XR_PORT_EXCHANGE_H
#define XR_PORT_EXCHANGE_H

#include <exray/assertion.h>

/* Of one of the edge's ports, by its position among the comparison's pairs. */
typedef struct xr_port_origin {
    size_t from;         /* the pair whose reference's values it has; SIZE_MAX: its own, or no port's */
    size_t frames;       /* that show it */
    size_t own;          /* in which it has its own values and no other's */
    size_t first;        /* matched frame that shows it */
    bool mutual;         /* that port has this one's values in turn, or they go round among several */
    double gain, offset; /* edge = gain * the other's + offset; 1 and 0 where they are the very values */
    bool mapped;         /* they are not */
    bool reversed;       /* of mapped ones: their channels are in the reverse order as well */
} xr_port_origin;

typedef struct xr_port_exchange {
    xr_port_origin *origin; /* [pairs] */
    size_t count;
    size_t exchanged; /* how many have another's values */
} xr_port_exchange;

/* `kind` is INPUT or OUTPUT.  Free with xr_port_exchange_free, also after an error. */
exray_status xr_port_exchange_find(const exray_comparison *comparison, exray_kind kind, xr_port_exchange *out,
                                   exray_error *error);
void xr_port_exchange_free(xr_port_exchange *exchange);

/* Keeps it for later assertions and the report; afterwards it is theirs. */
void xr_port_exchange_keep(exray_findings *findings, exray_kind kind, xr_port_exchange *exchange);

/* Whether a port has another's values, by what was kept. */
bool xr_is_exchanged(const exray_findings *findings, exray_kind kind, size_t pair);

/* Says in a finding's summary and details which ports have whose values, in which frames. */
void xr_say_exchange(exray_finding *finding, const exray_comparison *comparison, exray_kind kind,
                     const xr_port_exchange *exchange);

#endif
