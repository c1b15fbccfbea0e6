#include "pipeline/yaml_tree.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum {
    MAX_BYTES = 256 * 1024,
    MAX_DEPTH = 16,
    MAX_NODES = 4096,
};

typedef struct yaml_reader {
    yaml_parser_t parser;
    const char *name;
    exray_error *error;
    unsigned nodes;
} yaml_reader;

static bool next_event(yaml_reader *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event))
        return true;
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR)
        xr_error_set(r->error, EXRAY_E_MEMORY, "%s: out of memory", r->name);
    else if (p->error == YAML_READER_ERROR)
        xr_error_set(r->error, EXRAY_E_FORMAT, "%s: not a YAML text: %s at byte %zu", r->name,
                     p->problem ? p->problem : "unreadable", p->problem_offset);
    else
        xr_error_set(r->error, EXRAY_E_FORMAT, "%s:%zu: not YAML: %s", r->name, p->problem_mark.line + 1,
                     p->problem ? p->problem : "unreadable");
    return false;
}

static char *copy_scalar(const yaml_event_t *event)
{
    size_t length = event->data.scalar.length;
    if (memchr(event->data.scalar.value, 0, length))
        return NULL;
    char *text = malloc(length + 1);
    if (text) {
        memcpy(text, event->data.scalar.value, length);
        text[length] = 0;
    }
    return text;
}

static xr_yaml *new_node(yaml_reader *r, xr_yaml_kind kind, unsigned line)
{
    if (++r->nodes > MAX_NODES) {
        xr_error_set(r->error, EXRAY_E_LIMIT, "%s:%u: more than %d values, which are too many", r->name, line,
                     MAX_NODES);
        return NULL;
    }
    xr_yaml *node = calloc(1, sizeof *node);
    if (!node) {
        xr_error_set(r->error, EXRAY_E_MEMORY, "%s: out of memory", r->name);
        return NULL;
    }
    node->kind = kind;
    node->line = line;
    return node;
}

/* What the tree does not support: aliases (a document may expand without end), anchors and tags (they
 * could only mislead here). */
static bool is_plain_yaml(yaml_reader *r, const yaml_event_t *event, unsigned line)
{
    const yaml_char_t *anchor = NULL;
    const yaml_char_t *tag = NULL;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        break;
    default:
        break;
    }
    const char *what = NULL;
    if (event->type == YAML_ALIAS_EVENT)
        what = "aliases (*name)";
    else if (anchor)
        what = "anchors (&name)";
    else if (tag)
        what = "tags (!name)";
    if (!what)
        return true;
    xr_error_set(r->error, EXRAY_E_FORMAT, "%s:%u: YAML %s are not allowed", r->name, line, what);
    return false;
}

static xr_yaml *read_node(yaml_reader *r, const yaml_event_t *event, unsigned depth);

static void append(xr_yaml *parent, xr_yaml *child)
{
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
}

static bool read_key(yaml_reader *r, const xr_yaml *map, const yaml_event_t *event, char **key)
{
    unsigned line = (unsigned)event->start_mark.line + 1;
    if (event->type != YAML_SCALAR_EVENT) {
        xr_error_set(r->error, EXRAY_E_FORMAT, "%s:%u: a key must be a plain word", r->name, line);
        return false;
    }
    if (!is_plain_yaml(r, event, line))
        return false;
    *key = copy_scalar(event);
    if (!*key) {
        xr_error_set(r->error, EXRAY_E_FORMAT, "%s:%u: a key must be a plain word", r->name, line);
        return false;
    }
    for (const xr_yaml *child = map->first; child; child = child->next)
        if (!strcmp(child->key, *key)) {
            char shown[XR_SHOWN];
            xr_error_set(r->error, EXRAY_E_FORMAT, "%s:%u: '%s' is there twice, first at line %u; keep one",
                         r->name, line, xr_show(*key, shown), child->key_line);
            return false;
        }
    return true;
}

/* Reads the children of a list or a map up to its end event. */
static bool read_children(yaml_reader *r, xr_yaml *parent, unsigned depth)
{
    for (;;) {
        yaml_event_t event;
        if (!next_event(r, &event))
            return false;
        if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            return true;
        }
        char *key = NULL;
        unsigned key_line = (unsigned)event.start_mark.line + 1;
        bool ok = true;
        if (parent->kind == XR_YAML_MAP) {
            ok = read_key(r, parent, &event, &key);
            yaml_event_delete(&event);
            ok = ok && next_event(r, &event);
            if (!ok) {
                free(key);
                return false;
            }
        }
        xr_yaml *child = read_node(r, &event, depth);
        yaml_event_delete(&event);
        if (!child) {
            free(key);
            return false;
        }
        child->key = key;
        child->key_line = key_line;
        append(parent, child);
    }
}

static xr_yaml *read_node(yaml_reader *r, const yaml_event_t *event, unsigned depth)
{
    unsigned line = (unsigned)event->start_mark.line + 1;
    if (!is_plain_yaml(r, event, line))
        return NULL;
    if (event->type == YAML_SCALAR_EVENT) {
        xr_yaml *node = new_node(r, XR_YAML_SCALAR, line);
        if (!node)
            return NULL;
        node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        node->text = copy_scalar(event);
        if (!node->text) {
            xr_error_set(r->error, EXRAY_E_FORMAT, "%s:%u: a value has a zero byte inside", r->name, line);
            xr_yaml_free(node);
            return NULL;
        }
        return node;
    }
    if (depth >= MAX_DEPTH) {
        xr_error_set(r->error, EXRAY_E_LIMIT, "%s:%u: nested deeper than %d levels", r->name, line,
                     MAX_DEPTH);
        return NULL;
    }
    xr_yaml *node = new_node(r, event->type == YAML_SEQUENCE_START_EVENT ? XR_YAML_LIST : XR_YAML_MAP, line);
    if (node && !read_children(r, node, depth + 1)) {
        xr_yaml_free(node);
        return NULL;
    }
    return node;
}

/* The events of one document; `event` is its first inside. */
static xr_yaml *read_document(yaml_reader *r)
{
    yaml_event_t event;
    do { /* stream start, document start */
        if (!next_event(r, &event))
            return NULL;
        yaml_event_type_t type = event.type;
        if (type != YAML_STREAM_START_EVENT && type != YAML_DOCUMENT_START_EVENT)
            break;
        yaml_event_delete(&event);
    } while (true);

    if (event.type == YAML_STREAM_END_EVENT) {
        yaml_event_delete(&event);
        return new_node(r, XR_YAML_MAP, 1);
    }
    xr_yaml *root = read_node(r, &event, 0);
    yaml_event_delete(&event);
    if (!root)
        return NULL;
    for (;;) { /* document end, stream end; nothing else */
        if (!next_event(r, &event)) {
            xr_yaml_free(root);
            return NULL;
        }
        yaml_event_type_t type = event.type;
        unsigned line = (unsigned)event.start_mark.line + 1;
        yaml_event_delete(&event);
        if (type == YAML_STREAM_END_EVENT)
            return root;
        if (type != YAML_DOCUMENT_END_EVENT) {
            xr_error_set(r->error, EXRAY_E_FORMAT, "%s:%u: a second document (---); only one is read",
                         r->name, line);
            xr_yaml_free(root);
            return NULL;
        }
    }
}

xr_yaml *xr_yaml_read(const char *text, size_t size, const char *name, exray_error *error)
{
    yaml_reader r = {.name = name, .error = error};
    if (size > MAX_BYTES) {
        xr_error_set(error, EXRAY_E_LIMIT, "%s: %zu bytes; at most %d are read", name, size, MAX_BYTES);
        return NULL;
    }
    if (!yaml_parser_initialize(&r.parser)) {
        xr_error_set(error, EXRAY_E_MEMORY, "%s: out of memory", name);
        return NULL;
    }
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, size);
    xr_yaml *root = read_document(&r);
    yaml_parser_delete(&r.parser);
    return root;
}

void xr_yaml_free(xr_yaml *node)
{
    if (!node)
        return;
    xr_yaml *child = node->first;
    while (child) { /* depth is bounded by MAX_DEPTH */
        xr_yaml *next = child->next;
        xr_yaml_free(child);
        child = next;
    }
    free(node->text);
    free(node->key);
    free(node);
}

bool xr_yaml_is_null(const xr_yaml *node)
{
    return node->kind == XR_YAML_SCALAR && node->plain &&
           (!*node->text || !strcmp(node->text, "~") || !strcmp(node->text, "null"));
}
