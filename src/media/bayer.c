/* Raw pictures of sensors with a mosaic of color filters: each pixel has one color, the others are
 * interpolated from its neighbors, bilinearly and across edges, as OpenCV's cvtColor does. */
#include "base/error.h"
#include "media/decoders.h"

#include <stdlib.h>
#include <string.h>

typedef enum filter { RED, GREEN, BLUE } filter;

typedef struct mosaic {
    const uint8_t *data;
    uint64_t stride;
    uint32_t width, height;
    unsigned bits;          /* of a sample: one byte for 8, else two with the low one first */
    filter at[2][2];        /* the filter of a pixel, by the last bit of its row and its column */
    const uint16_t *row[3]; /* samples: of the row above, of the row, of the row below */
} mosaic;

/* "bayer_" and the filters of the first two rows: of rows 0 and 1, columns 0 and 1. */
static bool find_filters(const char *format, mosaic *m)
{
    static const struct {
        const char *name;
        filter at[2][2];
    } turns[] = {{"bayer_rggb", {{RED, GREEN}, {GREEN, BLUE}}},
                 {"bayer_grbg", {{GREEN, RED}, {BLUE, GREEN}}},
                 {"bayer_gbrg", {{GREEN, BLUE}, {RED, GREEN}}},
                 {"bayer_bggr", {{BLUE, GREEN}, {GREEN, RED}}}};
    static const struct {
        const char *name;
        unsigned bits;
    } depths[] = {{"8", 8}, {"10", 10}, {"12", 12}, {"16", 16}};
    enum { TURN = sizeof "bayer_rggb" - 1 };
    for (size_t t = 0; t < sizeof turns / sizeof *turns; t++)
        for (size_t d = 0; d < sizeof depths / sizeof *depths; d++)
            if (!strncmp(format, turns[t].name, TURN) && !strcmp(format + TURN, depths[d].name)) {
                memcpy(m->at, turns[t].at, sizeof m->at);
                m->bits = depths[d].bits;
                return true;
            }
    return false;
}

bool xr_is_bayer(const char *format)
{
    mosaic m;
    return find_filters(format, &m);
}

static unsigned sample_bytes(const mosaic *m)
{
    return m->bits == 8 ? 1 : 2;
}

/* Samples beyond the depth's largest, which no sensor delivers, count as that. */
static void read_row(const mosaic *m, uint32_t y, uint16_t *out)
{
    const uint8_t *from = m->data + y * m->stride;
    const unsigned most = (1u << m->bits) - 1;
    for (uint32_t x = 0; x < m->width; x++) {
        unsigned value =
            m->bits == 8 ? from[x] : from[2 * (size_t)x] | (unsigned)from[2 * (size_t)x + 1] << 8;
        out[x] = (uint16_t)(value > most ? most : value);
    }
}

/* The neighbor before, or behind, of a place that may be the first or the last; two apart is the same filter.
 */
static uint32_t before(uint32_t i)
{
    return i ? i - 1 : 1;
}

static uint32_t behind(uint32_t i, uint32_t count)
{
    return i + 1 < count ? i + 1 : count - 2;
}

static unsigned mean2(unsigned a, unsigned b)
{
    return (a + b + 1) / 2;
}

static unsigned mean4(unsigned a, unsigned b, unsigned c, unsigned d)
{
    return (a + b + c + d + 2) / 4;
}

/* Red, green, blue of a pixel, in the sensor's depth. */
static void interpolate(const mosaic *m, uint32_t x, uint32_t y, unsigned rgb[3])
{
    const uint16_t *up = m->row[0], *here = m->row[1], *down = m->row[2];
    const uint32_t left = before(x), right = behind(x, m->width);
    const filter own = m->at[y & 1][x & 1], aside = m->at[y & 1][~x & 1];
    rgb[own] = here[x];
    if (own == GREEN) {
        rgb[aside] = mean2(here[left], here[right]);
        rgb[RED + BLUE - aside] = mean2(up[x], down[x]);
        return;
    }
    rgb[GREEN] = mean4(here[left], here[right], up[x], down[x]);
    rgb[RED + BLUE - own] = mean4(up[left], up[right], down[left], down[right]);
}

/* The outermost rows and columns are like those beside them: OpenCV's way, where the sides have three. */
static uint32_t inside(uint32_t i, uint32_t count)
{
    if (count < 3)
        return i;
    return i == 0 ? 1 : i == count - 1 ? count - 2 : i;
}

static void convert(mosaic *m, uint16_t *room, exray_picture *out)
{
    uint16_t *row[3] = {room, room + m->width, room + 2 * (size_t)m->width};
    for (int k = 0; k < 3; k++)
        m->row[k] = row[k];
    for (uint32_t y = 0; y < m->height; y++) {
        const uint32_t from = inside(y, m->height);
        uint8_t *to = out->pixels + (size_t)y * m->width * 3;
        read_row(m, before(from), row[0]);
        read_row(m, from, row[1]);
        read_row(m, behind(from, m->height), row[2]);
        for (uint32_t x = 0; x < m->width; x++, to += 3) {
            unsigned rgb[3];
            interpolate(m, inside(x, m->width), from, rgb);
            for (int c = 0; c < 3; c++)
                to[c] = (uint8_t)(rgb[c] >> (m->bits - 8));
        }
    }
}

exray_status xr_decode_bayer(const exray_media *media, const uint8_t *data, size_t size, exray_picture *out,
                             exray_error *error)
{
    mosaic m = {.data = data, .width = media->width, .height = media->height};
    if (!find_filters(media->format, &m) || m.width < 2 || m.height < 2)
        return xr_error_set(error, EXRAY_E_FORMAT, "a %s picture of %u x %u; each side must be 2 at least",
                            media->format, media->width, media->height);
    const uint64_t row = (uint64_t)m.width * sample_bytes(&m);
    m.stride = media->row_stride ? media->row_stride : row;
    exray_status status = xr_take_size(media, out, error);
    if (!status)
        status = xr_check_rows(media, row, m.stride, size, error);
    if (!status)
        status = xr_picture_allocate(out, media->format, error);
    if (status)
        return status;
    uint16_t *room = malloc(3 * (size_t)m.width * sizeof *room);
    if (!room)
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a picture");
    convert(&m, room, out);
    free(room);
    return EXRAY_OK;
}
