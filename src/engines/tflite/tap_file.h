/* What the interpreter does not know, read from the model file. */
#ifndef XR_TFLITE_TAP_FILE_H
#define XR_TFLITE_TAP_FILE_H

#include "engines/tflite/tap_state.h"

#include <exray/tflite.h>

/* Takes hash, name, number of subgraphs and the operators' options from the model that the config
 * names, by file or by bytes.  The bytes are the caller's only during attach, so they are read here. */
exray_status xr_tap_read_model(xr_tap *tap, const exray_tflite_config *config, exray_error *error);

/* Gives a node the attributes of node `index` of that subgraph of the file, if that is the same
 * operator. */
void xr_tap_add_attributes(const xr_tap *tap, uint32_t subgraph, uint32_t index, exray_node *node);

#endif
