/* Vocabulary files: tokens and their ids. */
#ifndef XR_VOCABULARY_H
#define XR_VOCABULARY_H

#include <exray/types.h>

typedef struct xr_vocabulary_entry {
    const char *token;
    size_t size;
    int64_t id;
} xr_vocabulary_entry;

typedef struct xr_vocabulary {
    char *text;                 /* of the file; tokens are within */
    xr_vocabulary_entry *entry; /* [count], in the order of the file */
    size_t count;
    uint32_t *slot; /* [slots] of a hash table: position + 1; 0: free */
    size_t slots;
    uint32_t *by_id; /* [count] positions, ascending by id */
    size_t longest;  /* bytes of a token */
} xr_vocabulary;

/* Reads a file of one token a line: where each line ends in a blank and a number, that is the token's id,
 * else the line's number is, from 0.  Lines end at '\n' alone.  Of equal tokens the last counts.  `name`
 * stands in errors: EXRAY_E_FORMAT, EXRAY_E_LIMIT, EXRAY_E_MEMORY.  Free it in any case. */
exray_status xr_vocabulary_read(const void *data, size_t size, const char *name, xr_vocabulary *out,
                                exray_error *error);
void xr_vocabulary_free(xr_vocabulary *vocabulary);

/* The entry of a token, or NULL. */
const xr_vocabulary_entry *xr_vocabulary_find(const xr_vocabulary *vocabulary, const char *token,
                                              size_t size);

/* The entry of an id (of several tokens the first), or NULL. */
const xr_vocabulary_entry *xr_vocabulary_of(const xr_vocabulary *vocabulary, int64_t id);

#endif
