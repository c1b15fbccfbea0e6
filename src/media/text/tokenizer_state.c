#include "media/text/tokenizer_state.h"

#include "media/text/unicode.h"

#include <stdlib.h>

bool xr_id_list_add(xr_id_list *list, int64_t id)
{
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 64;
        int64_t *grown = realloc(list->id, room * sizeof *grown);
        if (!grown)
            return false;
        list->id = grown;
        list->room = room;
    }
    list->id[list->count++] = id;
    return true;
}

bool xr_utf8_text_add(xr_utf8_text *to, uint32_t code)
{
    if (to->room - to->size < 4) {
        size_t room = to->room ? 2 * to->room : 64;
        char *grown = realloc(to->text, room);
        if (!grown)
            return false;
        to->text = grown;
        to->room = room;
    }
    to->size += xr_unicode_encode(code, to->text + to->size);
    return true;
}
