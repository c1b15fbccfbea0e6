#include "log/index/index_entries.h"

#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

/* xr_entry.what.  The two highest bits say what the entry is.
 *   a record:   9 bits occurrence, 1 has_data, 1 has_sketch, 19 bits the number of its form
 *   wide:       30 bits the number of the record in xr_entries.wide
 *   gathered:   30 bits the number of the gathering */
enum {
    TYPE_SHIFT = 30,
    PLAIN = 0,
    WIDE = 1,
    GATHERED = 2,
    MOST_NUMBER = (1 << TYPE_SHIFT) - 1,
    FORM_BITS = 19,
    MOST_FORM = (1 << FORM_BITS) - 1,
    SKETCH_BIT = 1 << FORM_BITS,
    DATA_BIT = 1 << (FORM_BITS + 1),
    OCCURRENCE_SHIFT = FORM_BITS + 2,
    MOST_OCCURRENCE = (1 << (TYPE_SHIFT - OCCURRENCE_SHIFT)) - 1,
    VARINT_BITS = 7,
    VARINT_MORE = 1 << VARINT_BITS,
    MOST_VARINT = 5, /* bytes of 32 bits */
};

static unsigned type_of(const xr_entry *entry)
{
    return entry->what >> TYPE_SHIFT;
}

static uint32_t number_of(const xr_entry *entry)
{
    return entry->what & MOST_NUMBER;
}

void xr_entries_free(xr_entries *entries)
{
    free(entries->entry);
    free(entries->wide);
    free(entries->sizes);
    free(entries->form);
    free(entries->gathering);
    *entries = (xr_entries){0};
}

xr_entries_mark xr_entries_at(const xr_entries *entries)
{
    return (xr_entries_mark){entries->count, entries->wide_count, entries->sizes_count, entries->records};
}

void xr_entries_back(xr_entries *entries, xr_entries_mark mark)
{
    entries->count = mark.count;
    entries->wide_count = mark.wide_count;
    entries->sizes_count = mark.sizes_count;
    entries->records = mark.records;
}

/* ---- Adding ----------------------------------------------------------------- */

/* Room for `more` items behind the `count` that `items` has, a quarter more than that: returns it, moved if
 * need be, and sets *capacity.  NULL: out of memory, and the array is as it was. */
static void *room(void *items, size_t count, size_t more, size_t *capacity, size_t item_size)
{
    enum { FIRST = 64 };
    if (more <= *capacity - count)
        return items;
    const size_t wanted = count + count / 4 + more + FIRST;
    void *grown = wanted < SIZE_MAX / item_size ? realloc(items, wanted * item_size) : NULL;
    if (grown)
        *capacity = wanted;
    return grown;
}

static bool add_entry(xr_entries *e, const xr_entry *entry, size_t records)
{
    xr_entry *grown =
        e->records + records <= e->most ? room(e->entry, e->count, 1, &e->capacity, sizeof *grown) : NULL;
    if (!grown)
        return false;
    e->entry = grown;
    e->entry[e->count++] = *entry;
    e->records += records;
    return true;
}

static bool add_wide(xr_entries *e, const exray_record *record)
{
    exray_record *grown = e->wide_count <= MOST_NUMBER
                              ? room(e->wide, e->wide_count, 1, &e->wide_capacity, sizeof *grown)
                              : NULL;
    if (!grown)
        return false;
    e->wide = grown;
    const xr_entry entry = {.position = record->position,
                            .log_time = record->log_time,
                            .chunk = record->chunk,
                            .what = (uint32_t)WIDE << TYPE_SHIFT | (uint32_t)e->wide_count};
    e->wide[e->wide_count] = *record;
    if (!add_entry(e, &entry, 1))
        return false;
    e->wide_count++;
    return true;
}

/* The number of the topic's form; false: out of memory. */
static bool find_form(xr_entries *e, const exray_record *record, uint32_t *form)
{
    if (*form)
        return true;
    xr_record_form *grown = room(e->form, e->form_count, 1, &e->form_capacity, sizeof *grown);
    if (!grown)
        return false;
    e->form = grown;
    e->form[e->form_count++] = (xr_record_form){.message = record->message,
                                                .kind = record->kind,
                                                .index = record->index,
                                                .output = record->output,
                                                .topic = record->topic,
                                                .name = record->name};
    *form = (uint32_t)e->form_count;
    return true;
}

static bool fits(const exray_record *record)
{
    return record->frame <= UINT32_MAX && record->size <= UINT32_MAX && record->occurrence <= MOST_OCCURRENCE;
}

bool xr_entries_add(xr_entries *e, const exray_record *record, uint32_t *form)
{
    if (!fits(record) || (!*form && e->form_count >= MOST_FORM))
        return add_wide(e, record);
    if (!find_form(e, record, form))
        return false;
    const xr_entry entry = {.position = record->position,
                            .log_time = record->log_time,
                            .frame = (uint32_t)record->frame,
                            .size = (uint32_t)record->size,
                            .chunk = record->chunk,
                            .what = record->occurrence << OCCURRENCE_SHIFT |
                                    (record->has_data ? (uint32_t)DATA_BIT : 0) |
                                    (record->has_sketch ? (uint32_t)SKETCH_BIT : 0) | *form};
    return add_entry(e, &entry, 1);
}

/* ---- Gathered statistics ------------------------------------------------------ */

static bool is_equal(const xr_gathering *a, const xr_gathering *b)
{
    return a->kind == b->kind && a->count == b->count &&
           memcmp(a->index, b->index, a->count * sizeof *a->index) == 0;
}

uint32_t xr_entries_find_gathering(const xr_entries *e, const xr_gathering *gathering, uint32_t near)
{
    enum { MOST_TRIED = 64 };
    if (near < e->gathering_count && is_equal(&e->gathering[near], gathering))
        return near;
    for (uint32_t i = 0; i < e->gathering_count && i < MOST_TRIED; i++)
        if (is_equal(&e->gathering[i], gathering))
            return i;
    return EXRAY_NO_INDEX;
}

uint32_t xr_entries_add_gathering(xr_entries *e, const xr_gathering *gathering)
{
    xr_gathering *grown = e->gathering_count < MOST_NUMBER ? room(e->gathering, e->gathering_count, 1,
                                                                  &e->gathering_capacity, sizeof *grown)
                                                           : NULL;
    if (!grown)
        return EXRAY_NO_INDEX;
    e->gathering = grown;
    e->gathering[e->gathering_count] = *gathering;
    return (uint32_t)e->gathering_count++;
}

bool xr_entries_can_gather(const xr_entries *e, const exray_record *record)
{
    return record->frame <= UINT32_MAX && e->sizes_count <= UINT32_MAX;
}

static size_t put_varint(uint8_t *at, uint32_t value)
{
    size_t count = 0;
    for (; value >= VARINT_MORE; value >>= VARINT_BITS)
        at[count++] = (uint8_t)(value | VARINT_MORE);
    at[count++] = (uint8_t)value;
    return count;
}

static size_t take_varint(const uint8_t *at, uint32_t *value)
{
    size_t count = 0;
    *value = 0;
    do
        *value |= (uint32_t)(at[count] & (VARINT_MORE - 1)) << (VARINT_BITS * count);
    while (at[count++] & VARINT_MORE);
    return count;
}

bool xr_entries_add_gathered(xr_entries *e, uint32_t gathering, const exray_record *record,
                             const uint32_t *size)
{
    const uint32_t count = e->gathering[gathering].count;
    uint8_t *grown = room(e->sizes, e->sizes_count, (size_t)count * MOST_VARINT, &e->sizes_capacity, 1);
    if (!grown)
        return false;
    e->sizes = grown;
    const xr_entry entry = {.position = record->position,
                            .log_time = record->log_time,
                            .frame = (uint32_t)record->frame,
                            .size = (uint32_t)e->sizes_count,
                            .chunk = record->chunk,
                            .what = (uint32_t)GATHERED << TYPE_SHIFT | gathering};
    if (!add_entry(e, &entry, count))
        return false;
    for (uint32_t i = 0; i < count; i++)
        e->sizes_count += put_varint(e->sizes + e->sizes_count, size[i]);
    return true;
}

/* ---- Reading ------------------------------------------------------------------ */

/* Of a plain entry. */
static const xr_record_form *form_of(const xr_entries *e, const xr_entry *entry)
{
    return &e->form[(entry->what & MOST_FORM) - 1];
}

bool xr_entry_is_constant(const xr_entries *e, const xr_entry *entry)
{
    if (type_of(entry) == GATHERED)
        return e->gathering[number_of(entry)].kind == EXRAY_KIND_CONSTANT;
    if (type_of(entry) == WIDE) {
        const exray_record *record = &e->wide[number_of(entry)];
        return record->message == EXRAY_MESSAGE_TENSOR && record->kind == EXRAY_KIND_CONSTANT;
    }
    const xr_record_form *form = form_of(e, entry);
    return form->message == EXRAY_MESSAGE_TENSOR && form->kind == EXRAY_KIND_CONSTANT;
}

uint64_t xr_entry_frame(const xr_entries *e, const xr_entry *entry)
{
    return type_of(entry) == WIDE ? e->wide[number_of(entry)].frame : entry->frame;
}

size_t xr_entry_count(const xr_entries *e, const xr_entry *entry)
{
    return type_of(entry) == GATHERED ? e->gathering[number_of(entry)].count : 1;
}

static size_t gathered_records(const xr_entries *e, const xr_entry *entry, exray_record *out)
{
    const xr_gathering *gathering = &e->gathering[number_of(entry)];
    const uint8_t *at = e->sizes + entry->size;
    uint64_t position = entry->position;
    for (uint32_t i = 0; i < gathering->count; i++) {
        uint8_t length[MOST_VARINT];
        uint32_t size;
        at += take_varint(at, &size);
        if (i) /* the tag, the length */
            position += 1 + put_varint(length, size);
        out[i] = (exray_record){.message = EXRAY_MESSAGE_TENSOR,
                                .kind = gathering->kind,
                                .index = gathering->index[i],
                                .log_time = entry->log_time,
                                .frame = entry->frame,
                                .topic = gathering->topic[i],
                                .name = "",
                                .position = position | XR_RECORD_GATHERED,
                                .size = size,
                                .chunk = entry->chunk};
        position += size;
    }
    return gathering->count;
}

size_t xr_entry_records(const xr_entries *e, const xr_entry *entry, exray_record *out)
{
    if (type_of(entry) == GATHERED)
        return gathered_records(e, entry, out);
    if (type_of(entry) == WIDE) {
        *out = e->wide[number_of(entry)];
        return 1;
    }
    const xr_record_form *form = form_of(e, entry);
    *out = (exray_record){.message = form->message,
                          .kind = form->kind,
                          .index = form->index,
                          .output = form->output,
                          .occurrence = entry->what >> OCCURRENCE_SHIFT,
                          .has_data = entry->what & DATA_BIT,
                          .has_sketch = entry->what & SKETCH_BIT,
                          .log_time = entry->log_time,
                          .frame = entry->frame,
                          .topic = form->topic,
                          .name = form->name,
                          .position = entry->position,
                          .size = entry->size,
                          .chunk = entry->chunk};
    return 1;
}
