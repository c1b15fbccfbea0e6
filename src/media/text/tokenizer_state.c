#include "media/text/tokenizer_state.h"

#include "base/buffer.h"
#include "base/utf8.h"

#include <stdlib.h>

bool xr_id_list_add(xr_id_list *list, int64_t id)
{
    int64_t *grown = xr_array_grow(list->id, list->count, &list->room, sizeof *grown);
    if (!grown)
        return false;
    list->id = grown;
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
    to->size += xr_utf8_encode(code, to->text + to->size);
    return true;
}
