#include "checks/input/tokens/token_open.h"

/* A row longer than this is no text. */
enum { MOST_PLACES = 1 << 16 };

/* Ids of one row that a frame has on a side; 0: none are known. */
static size_t width_in(const exray_comparison *c, const exray_io_pair *io, int side, size_t frame)
{
    const exray_log *log = exray_comparison_log(c, (exray_side)side);
    const exray_record *r = exray_log_find(log, exray_comparison_frame(c, frame).frame[side],
                                           EXRAY_KIND_INPUT, EXRAY_NO_INDEX, 0, io->name[side]);
    exray_slot *slot = r && r->has_data ? exray_slot_new() : NULL;
    exray_tensor_view view;
    exray_error ignored;
    size_t width = 0;
    if (slot && exray_log_read_tensor(log, r, slot, &view, &ignored) == EXRAY_OK && view.info.rank > 0 &&
        view.info.rank <= 2 && view.count <= MOST_PLACES &&
        view.count == (uint64_t)view.info.shape[view.info.rank - 1])
        width = (size_t)view.count;
    exray_slot_free(slot);
    return width;
}

size_t xr_token_open_places(const exray_comparison *comparison, size_t pair)
{
    const exray_io_pair *io = exray_comparison_input(comparison, pair);
    size_t most = 0, first[2] = {0, 0};
    bool varies[2] = {false, false};
    for (size_t f = 0; io->other_shape > 0 && f < exray_comparison_frame_count(comparison); f++)
        for (int s = 0; s < 2; s++) {
            size_t width = width_in(comparison, io, s, f);
            if (width == 0)
                return 0;
            first[s] = f == 0 ? width : first[s];
            varies[s] = varies[s] || width != first[s];
            most = width > most ? width : most;
        }
    return varies[0] && varies[1] ? most + 1 : 0;
}
