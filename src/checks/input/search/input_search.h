/* The search for the chain of transformations that takes the reference's model input
 * to the edge's: which frame, which layout, which way up, which part of the scene, by
 * which kernel, in which colours.  docs/causes-input.md has the reasoning. */
#ifndef XR_INPUT_SEARCH_H
#define XR_INPUT_SEARCH_H

#include "checks/input/search/input_render.h"

enum { XR_SEARCH_FRAMES = 6, XR_RIVALS = 4 };

/* Values that a signed type's wrapping around has bent: int8 read as uint8, or the
 * other way round.  Undone: value + (value < middle ? up : -down). */
typedef struct xr_bend {
    bool set;
    float middle[XR_FIT_CHANNELS], up, down[XR_FIT_CHANNELS];
    bool stored; /* of the tensor's own 8 bits; else of the pixels, before they were normalized */
} xr_bend;

/* The colours of a scene, 0..255, as something made of them. */
typedef enum xr_tint_kind {
    XR_TINT_NONE,
    XR_TINT_GREY,
    XR_TINT_UV,     /* U and V exchanged */
    XR_TINT_MATRIX, /* encoded with one matrix, decoded with another */
    XR_TINT_RANGE,  /* limited range taken for full, or full for limited */
    XR_TINT_GAMMA,
    XR_TINT_PACKED, /* YUYV read as UYVY, or the other way round: luma and chroma exchanged */
} xr_tint_kind;
typedef struct xr_tint {
    xr_tint_kind kind;
    double matrix[3][4]; /* to = matrix (r, g, b, 1) */
    double gamma;        /* to = 255 (from / 255)^gamma */
    size_t from, to;     /* MATRIX, RANGE: encodings of the reference and the edge */
    int range;           /* RANGE: 1 limited taken for full, -1 full taken for limited */
} xr_tint;

/* "BT.709 ...": what the edge did, and what to do about it. */
void xr_tint_text(const xr_tint *t, char *text, size_t size, const char **fix);

/* Integers that leave hardly any values to fit a line to. */
typedef enum xr_remap_kind {
    XR_REMAP_NONE,
    XR_REMAP_NORMALIZED, /* by another convention, out of the tensor's range */
    XR_REMAP_AGAIN,      /* normalized twice */
    XR_REMAP_TWICE,      /* quantized twice */
    XR_REMAP_NOT,        /* real values rounded to integers, not quantized */
    XR_REMAP_CAST,       /* the same, cut */
} xr_remap_kind;
typedef struct xr_remap {
    xr_remap_kind kind;
    double scale, zero, least; /* the edge's tensor; its smallest stored value */
    double mean[3], std[3];
    const char *name;   /* of the convention */
    xr_remap_kind tied; /* another mistake that gives the same values; or NONE */
    bool suffices;      /* nothing is left beside it */
} xr_remap;

/* Rows that were read with another stride than they were written with. */
typedef enum xr_shear_kind {
    XR_SHEAR_READ,    /* packed rows, read as if they were `pixels` longer */
    XR_SHEAR_WRITTEN, /* rows with `pixels` of padding, read as if they were packed */
    XR_SHEAR_IGNORED, /* the same of the sensor record's own padding: its bytes are at hand */
} xr_shear_kind;
typedef struct xr_shear {
    bool set;
    xr_shear_kind kind;
    bool on_sensor; /* on the sensor's picture, before all else; else on the model's input */
    int64_t pixels;
} xr_shear;

/* What both sides fill the bars of a letterbox with, in the edge's unit. */
typedef struct xr_ground {
    bool differs;
    double edge[XR_FIT_CHANNELS], reference[XR_FIT_CHANNELS];
    size_t frames; /* that have bars */
} xr_ground;

/* Another reading of the sensor's bytes, or of its pixels, before all else. */
typedef enum xr_reading_kind {
    XR_READ_AS_RECORDED,
    XR_READ_FORMAT,  /* as another format */
    XR_READ_REDUCED, /* a JPEG at a part of its size */
    XR_READ_GAMMA,
} xr_reading_kind;
typedef struct xr_reading {
    xr_reading_kind kind;
    const char *format; /* a constant; NULL: as recorded */
    double gamma;       /* pixel = 255 (pixel / 255)^gamma */
} xr_reading;

typedef struct xr_chain {
    size_t frames; /* of the comparison */
    size_t step;   /* every how many of them are looked at */
    size_t *shows; /* [frames]: whose picture the edge's frame has; NULL: its own */
    size_t moved;  /* frames that show another */
    bool layout;   /* the edge wrote planes where pixels belong, or the other way round */
    xr_bend bend;
    xr_orientation orientation;        /* edge = oriented reference */
    xr_orientation render_orientation; /* edge = oriented rendering */
    bool rendered;                     /* from the sensor's pictures */
    xr_rendering base, edge;           /* where rendered: the reference's, the edge's */
    unsigned char from[XR_FIT_CHANNELS];
    double gain[XR_FIT_CHANNELS], offset[XR_FIT_CHANNELS]; /* reference = gain * rendering + offset */
    bool scaled; /* gain and offset are known: reference values are (pixel * gain + offset) */
    bool warped; /* the edge shows another part of the reference's picture */
    xr_map *map; /* [frames], of the reference's picture; NULL where not warped */
    xr_tint tint;
    xr_reading reading; /* rendered from what it makes of the bytes */
    xr_shear shear;
    xr_remap remap;
    xr_ground ground;

    /* What the search measured on its few frames; shares of the edge's variance, 0..1. */
    double base_left;         /* of the reference by its own rendering */
    double left;              /* of the edge by the chain */
    double kernel_rival_left; /* by the best other kernel */
    xr_rendering kernel_rival;
    double base_kernel_left;         /* by the reference's kernel */
    double geometry_rival_left;      /* by the reference's geometry */
    xr_orientation rival[XR_RIVALS]; /* other orientations that explain as much */
    size_t rival_count;
    double orientation_rival_left; /* by the best of the other orientations */
    double upright_left;           /* by none */
    double untinted_left;          /* without the tint, in the best order of channels */
} xr_chain;

/* What can be asked of it: the pair, read frame by frame. */
typedef struct xr_scene xr_scene;
xr_scene *xr_scene_open(const exray_comparison *comparison, size_t pair, const xr_input_fit *fit);
void xr_scene_close(xr_scene *scene);
/* Gives the frames searched on back; applying a chain does not need them. */
void xr_scene_forget(xr_scene *scene);
bool xr_scene_has_sensor(const xr_scene *scene);
/* The sensor's pictures are large: decoding and resizing them takes long. */
bool xr_scene_is_large(const xr_scene *scene);

/* Finds the chain; *chain is filled, free it with xr_chain_free.  False: nothing
 * better than no chain at all was found (or out of memory). */
bool xr_search(xr_scene *scene, xr_chain *chain);
void xr_chain_free(xr_chain *chain);

/* What the difference is like that a chain leaves, on the frames searched on. */
typedef struct xr_detail {
    double separable; /* share of its energy that a change along columns and rows explains, as another kernel
                         makes it; chance taken off: 0 noise, 1 kernels alone */
    double moved;     /* share that moving and enlarging the whole picture by a little explains */
    double shift;     /* by that, pixels at a border, in the frame where it is most */
    double at_edges;  /* its energy where the picture is steep over that where it is flat; noise: 1 */
    double left;      /* the difference, mean of the channels: levels rms */
    double sharpness; /* the edge's slopes over the reference's, rms; above 1: sharper */
} xr_detail;
bool xr_look_at_detail(xr_scene *scene, const xr_chain *chain, xr_detail *out);
/* Whether the edge's rows are the reference's, each moved sideways by another amount; in how many of
 * the frames that tell. */
bool xr_rows_are_moved(xr_scene *scene, size_t *frames, size_t *telling);
/* Differences in levels: the median of the luma's (the best of the usual matrices') in the frame
 * where it is most, and the median of all channels' (rms), the mean of the frames.  False: no colour
 * picture. */
bool xr_look_at_luma(xr_scene *scene, const xr_chain *chain, double *luma_median, double *all_median);

/* A placement that applies a chain: user is one of these. */
typedef struct xr_applied {
    xr_scene *scene;
    const xr_chain *chain;
    xr_raster edge, reference; /* of the last frame read */
} xr_applied;
exray_status xr_apply_chain(void *user, size_t frame, xr_placed *out, exray_error *error);
void xr_applied_free(xr_applied *applied);

/* ---- What its files share ------------------------------------------------------------- */

/* One of the few frames that are searched on. */
typedef struct xr_search_frame {
    size_t frame, shows;
    xr_raster edge[2]; /* by layout: as it is, as the other */
    xr_raster reference;
    xr_area edge_area[2], reference_area, scene_area;
    exray_picture *picture; /* the sensor's, or NULL */
    exray_picture *read;    /* as the edge reads its bytes; NULL: as the reference does */
    xr_area read_area;
    double contrast;
} xr_search_frame;

struct xr_scene {
    const exray_comparison *comparison;
    size_t pair;
    const xr_input_fit *fit;
    exray_slot *slot, *sensor_slot;
    bool has_sensor;
    bool ground;      /* the reference is letterboxed, and so is the edge: the bars are left out */
    size_t wanted;    /* 1 + a frame to search on, whatever its contrast; 0: none */
    bool fine;        /* small differences matter: all of them look like a kernel's */
    double spread[2]; /* of both sides' values, levels rms */
    size_t width, height, channels; /* of the edge's input */
    bool censored; /* many of the edge's values are at the ends of its range, low and high: no line holds
                      there */
    bool clamped;  /* the reference's values are beyond the edge's range, low to high */
    double low, high;
    xr_search_frame frame[XR_SEARCH_FRAMES];
    size_t count;
};

/* One side's input of a frame as a raster; false where there is none. */
bool xr_scene_raster(xr_scene *scene, exray_side side, size_t frame, bool other_layout, const xr_bend *bend,
                     xr_raster *out);
/* How the edge's input of 8 bits is stored; false: it is none, or cannot be read. */
typedef struct xr_storage {
    bool quantized;            /* else scale is 1 and zero 0 */
    double scale, zero, least; /* least: the smallest stored value */
} xr_storage;
bool xr_scene_storage(xr_scene *scene, xr_storage *out);
/* Loads the frames that are searched on, as far as the chain is known (frames, bend). */
bool xr_scene_load(xr_scene *scene, const xr_chain *chain);
/* The unit of the reference's values, in pixels of 0..255; false: not known. */
bool xr_chain_unit(const xr_scene *scene, xr_chain *chain);
/* Sums over the pixels of the frames searched on, the chain applied. */
xr_fit_sums xr_chain_sums(xr_scene *scene, const xr_chain *chain);
/* Colours: tries the known tints on the chain as it is; spread_levels: the edge's standard
 * deviation. */
bool xr_find_tint(xr_scene *scene, xr_chain *chain, double spread_levels);
void xr_tint_apply(const xr_chain *chain, xr_raster *reference);
/* Strides: of the reference's input; of the sensor's picture, which chain->base renders. */
bool xr_find_shear(xr_scene *scene, xr_chain *chain);
bool xr_find_sensor_shear(xr_scene *scene, xr_chain *chain);
bool xr_shear_raster(const xr_shear *shear, const xr_raster *in, xr_raster *out);
exray_picture *xr_shear_picture(const xr_shear *shear, const exray_picture *in);
/* The sensor's picture of a frame as the edge's chain reads it. */
exray_picture *xr_read_sensor(xr_scene *scene, const xr_chain *chain, size_t shows);
/* How integers came to be clipped, told from the distribution of values alone. */
void xr_find_remap(xr_scene *scene, xr_chain *chain);
void xr_remap_apply(const xr_chain *chain, xr_raster *reference);
/* The same of a raster that lies in the edge's place: of the values that a map has within
 * noise of the reference's, the one nearest to the edge's. */
void xr_remap_towards(const xr_scene *scene, const xr_chain *chain, xr_raster *reference,
                      const xr_raster *edge);
/* Values at the ends of the edge's range become NAN, where they are censored. */
void xr_censor(const xr_scene *scene, xr_raster *edge);
/* Values beyond the edge's range are brought to its ends. */
void xr_clamp(const xr_scene *scene, xr_raster *reference);
/* Whether undoing a sign makes the edge's pictures smooth. */
void xr_find_bend(xr_scene *scene, xr_chain *chain);
/* Bars of one colour at the borders of a picture: of a letterbox, most likely. */
typedef struct xr_bars {
    size_t top, bottom, left, right;
    float colour[XR_FIT_CHANNELS];
} xr_bars;
bool xr_find_bars(const xr_raster *r, double level, xr_bars *out);
/* Whether both sides have bars; they are hidden (NAN) in the frames searched on, then. */
void xr_find_ground(xr_scene *scene);
void xr_hide_ground(const xr_scene *scene, xr_raster *reference);
/* The bars' colours, under the fit's order and map. */
void xr_compare_ground(xr_scene *scene, xr_chain *chain, const xr_input_fit *fit);
/* Which frame's picture each edge frame shows, where some show another's. */
void xr_find_frame_order(xr_scene *scene, xr_chain *chain);
/* The sensor's picture of a frame, and its areas, as a side reads it. */
const exray_picture *xr_frame_picture(const xr_search_frame *frame, exray_side side);
const xr_area *xr_frame_area(const xr_search_frame *frame, exray_side side);
/* Levels rms of a share of a side's variance, on the frames searched on. */
double xr_levels_of(const xr_scene *scene, exray_side side, double left);
/* Which part of the sensor's picture a side shows, coarsely; false: no sensor.  likely (may be
 * NULL): the other side's rendering. */
typedef struct xr_guess {
    xr_geometry geometry;
    xr_orientation orientation;
    size_t layout;
    double left;
} xr_guess;
bool xr_find_place(xr_scene *scene, exray_side side, const xr_rendering *likely, xr_guess *found,
                   double by_orientation[XR_ORIENTATIONS]);
/* The rendering of one side that explains it best; false: no sensor.  likely (may be NULL):
 * the other side's, which is likely to share most of it. */
typedef struct xr_found {
    xr_rendering rendering;
    xr_orientation orientation;
    bool layout;
    double left;
    double rival_left; /* another kernel */
    xr_rendering rival;
    double by_orientation[XR_ORIENTATIONS]; /* coarse: the best of each, in the best layout */
} xr_found;
bool xr_find_rendering(xr_scene *scene, exray_side side, const xr_rendering *likely, xr_found *found);
/* Whether another reading of the sensor's bytes explains the edge better than its best
 * rendering `edge`, which is then found anew.  chain->base is known. */
bool xr_find_reading(xr_scene *scene, xr_chain *chain, xr_found *edge);
/* Areas of the sensor's picture, or of a smaller copy of it. */
bool xr_area_of_picture(xr_area *area, const exray_picture *picture, size_t channels);
/* The share of a side's variance that a rendering leaves unexplained, pixel by pixel. */
double xr_rendering_left(xr_scene *scene, exray_side side, bool layout, xr_orientation orientation,
                         const xr_rendering *how, xr_fit_sums *sums);
/* Without the sensor: the parts of the reference's pictures that the edge shows. */
bool xr_find_warp(xr_scene *scene, xr_chain *chain);
bool xr_warp_raster(const xr_raster *in, const xr_map *map, size_t width, size_t height, xr_raster *out);

#endif
