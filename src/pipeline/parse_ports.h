/* The keys `inputs` and `state` of a pipeline file: what each of a model's inputs gets. */
#ifndef XR_PARSE_PORTS_H
#define XR_PARSE_PORTS_H

#include "pipeline/steps.h"
#include "pipeline/yaml_tree.h"

/* False where error says why not, with the line. */
bool xr_parse_inputs(xr_pipeline *pipeline, const xr_yaml *node, exray_error *error);
bool xr_parse_state(xr_pipeline *pipeline, const xr_yaml *node, exray_error *error);

#endif
