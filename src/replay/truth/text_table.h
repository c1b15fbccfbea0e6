/* Texts or classes of pictures in a table whose columns are separated by tabs and named in the first line. */
#ifndef XR_TEXT_TABLE_H
#define XR_TEXT_TABLE_H

#include <exray/types.h>

typedef struct xr_text_table xr_text_table;

/* Columns `source` or `file`, and `text`, `label` or both: a label is a class, else the text. */
xr_text_table *xr_text_table_load(const char *path, exray_error *error);
bool xr_text_table_has(const xr_text_table *table, const char *file);
/* NULL: none. */
const char *xr_text_table_text(const xr_text_table *table, const char *file);
bool xr_text_table_label(const xr_text_table *table, const char *file, int64_t *label);
/* Lines. */
size_t xr_text_table_count(const xr_text_table *table);
void xr_text_table_free(xr_text_table *table);

/* Cuts a line (NUL-terminated) at its tabs, in place, into at most `most` cells; their number. */
int xr_table_cut(char *line, char **cell, int most);
/* Whether a cell is a class, a whole number. */
bool xr_table_class(const char *text, int64_t *out);

#endif
