/* Pipeline files.  Keys, defaults and conventions: docs/pipeline.md. */
#ifndef XR_PARSE_H
#define XR_PARSE_H

#include "pipeline/steps.h"
#include "pipeline/yaml_tree.h"

/* Parses a pipeline file (YAML text).  `name` stands in error messages, which
 * name the line; files in the text are relative to its folder.  `text` is not
 * kept.  NULL on failure, error filled; free the result with xr_pipeline_free. */
xr_pipeline *xr_pipeline_parse(const char *text, size_t size, const char *name, exray_error *error);
/* The same for a file, which is read once: it may be a pipe.  xr_text_open reads the vocabulary that it
 * names; before that it cannot be run. */
xr_pipeline *xr_pipeline_read(const char *path, exray_error *error);

/* The file as a tree (xr_yaml_read), with its shorthand ("features: mel {...}") written out. */
xr_yaml *xr_pipeline_tree(const char *text, size_t size, const char *name, exray_error *error);

#endif
