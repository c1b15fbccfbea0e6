/* What is written to a page, held against a text.  Behind cmocka.h. */
#ifndef PAGE_TEXT_H
#define PAGE_TEXT_H

#include <stdio.h>
#include <stdlib.h>

typedef struct page_text {
    char *data;
    size_t size;
    FILE *file;
} page_text;

static inline FILE *begin(page_text *t)
{
    t->file = open_memstream(&t->data, &t->size);
    assert_non_null(t->file);
    return t->file;
}

static inline void check_text(page_text *t, const char *want)
{
    fclose(t->file);
    assert_string_equal(t->data, want);
    free(t->data);
}

#endif
