/* A YAML document as a small tree that remembers lines.  Only what a configuration file needs: one
 * document; scalars, lists, maps; no anchors, aliases or tags; bounded in size, depth and count, as the
 * files are untrusted. */
#ifndef XR_YAML_TREE_H
#define XR_YAML_TREE_H

#include <exray/types.h>

typedef enum xr_yaml_kind { XR_YAML_SCALAR, XR_YAML_LIST, XR_YAML_MAP } xr_yaml_kind;

typedef struct xr_yaml {
    xr_yaml_kind kind;
    unsigned line;         /* from 1 */
    char *text;            /* SCALAR: its value, NUL-terminated, no NUL inside */
    bool plain;            /* SCALAR: not quoted, so that an empty one or `~` means null */
    char *key;             /* the key under which the parent, a map, has this node */
    unsigned key_line;     /* and the key's line */
    struct xr_yaml *first; /* LIST, MAP: children in the file's order */
    struct xr_yaml *last;
    struct xr_yaml *next; /* sibling */
} xr_yaml;

/* Reads `text`.  An empty document is an empty map.  `name` stands in error
 * messages ("name:line: ...").  Duplicate keys are an error.  NULL on failure.
 * The tree is the caller's; free it with xr_yaml_free. */
xr_yaml *xr_yaml_read(const char *text, size_t size, const char *name, exray_error *error);
void xr_yaml_free(xr_yaml *node);

/* Whether the node is an unquoted empty scalar, "~" or "null". */
bool xr_yaml_is_null(const xr_yaml *node);

#endif
