/* A session's inputs and outputs, with a value of zeros for each input whose shape is known. */
#ifndef XR_ORT_PORTS_H
#define XR_ORT_PORTS_H

#include "engines/onnxruntime/ort.h"

typedef struct xr_ort_port {
    char *name; /* the allocator's */
    exray_tensor_info info;
    int64_t shape[EXRAY_MAX_RANK];    /* as it is now; -1: open */
    int64_t declared[EXRAY_MAX_RANK]; /* the model's */
} xr_ort_port;

typedef struct xr_ort_ports {
    const xr_ort_api *api;
    OrtSession *session;
    OrtAllocator *allocator;
    OrtMemoryInfo *memory;
    size_t input_count, output_count;
    xr_ort_port *input, *output;
    const char **input_name, **output_name; /* those of the ports */
    void **input_bytes;                     /* the memory of the values */
    size_t *input_size;
    OrtValue **input_value, **output_value; /* outputs: NULL until a run */
} xr_ort_ports;

/* Describes a session's ports and makes its inputs; one that has open dimensions (other than the first, which
 * becomes 1) has no value until its shape is set.  EXRAY_E_UNSUPPORTED: elements of an input have no fixed
 * size.  The ports must be closed on failure, too. */
exray_status xr_ort_ports_open(xr_ort_ports *ports, const xr_ort_api *api, OrtSession *session,
                               exray_error *error);
/* Whether every input has a value. */
bool xr_ort_ports_are_ready(const xr_ort_ports *ports);
/* Gives input i a shape of its rank, with sizes above 0 that the declared one allows. */
exray_status xr_ort_ports_set_shape(xr_ort_ports *ports, uint32_t i, const int64_t *shape,
                                    exray_error *error);
/* Opens the dimensions again that the model leaves open, but for a batch. */
void xr_ort_ports_forget_shapes(xr_ort_ports *ports);
void xr_ort_ports_close(xr_ort_ports *ports); /* zeroed ports are fine */

/* The run of all inputs to all outputs. */
xr_ort_call xr_ort_ports_call(const xr_ort_ports *ports);

/* Releases the values and sets them to NULL. */
void xr_ort_release_values(const xr_ort_api *api, OrtValue **values, size_t count);

#endif
