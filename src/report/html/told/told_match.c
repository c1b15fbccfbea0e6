#include "report/html/told/told_match.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#define SAME_PLACE  0.8  /* IoU */
#define SAME_OBJECT 0.3  /* IoU, whatever the class */
#define MASK_APART  0.01 /* share of pixels */
#define POINT_APART 0.02 /* of the picture's sides */
#define ONE_WAY     0.99 /* cosine */

/* ---- Boxes --------------------------------------------------------------------------------- */

static double overlap(const exray_box *a, const exray_box *b)
{
    double width = fmin((double)a->x_max, (double)b->x_max) - fmax((double)a->x_min, (double)b->x_min);
    double height = fmin((double)a->y_max, (double)b->y_max) - fmax((double)a->y_min, (double)b->y_min);
    double shared = width > 0 && height > 0 ? width * height : 0;
    double all = ((double)a->x_max - (double)a->x_min) * ((double)a->y_max - (double)a->y_min) +
                 ((double)b->x_max - (double)b->x_min) * ((double)b->y_max - (double)b->y_min) - shared;
    return all > 0 ? shared / all : 0;
}

static int counted(const exray_result *r)
{
    return (int)(r->box_count < XR_BOXES_MOST ? r->box_count : XR_BOXES_MOST);
}

/* The free box of the reference for a box of the edge; XR_NO_BOX: none overlaps it enough. */
static int partner(const exray_box *box, const exray_result *reference, const bool *taken, double *best)
{
    int found = XR_NO_BOX;
    double most = 0;
    *best = 0;
    for (int k = 0; k < counted(reference); k++) {
        double shared = taken[k] ? 0 : overlap(box, &reference->boxes[k]);
        double weight = shared + (reference->boxes[k].id == box->id ? 1 : 0);
        if (shared >= SAME_OBJECT && weight > most) {
            most = weight;
            *best = shared;
            found = k;
        }
    }
    return found;
}

size_t xr_pair_boxes(const exray_result *edge, const exray_result *reference,
                     xr_box_pair out[2 * XR_BOXES_MOST])
{
    bool taken[XR_BOXES_MOST] = {false};
    size_t count = 0;
    for (int i = 0; i < counted(edge); i++) {
        xr_box_pair *pair = &out[count++];
        *pair = (xr_box_pair){.edge = i};
        pair->reference = partner(&edge->boxes[i], reference, taken, &pair->overlap);
        if (pair->reference == XR_NO_BOX)
            continue;
        taken[pair->reference] = true;
        const exray_box *a = &edge->boxes[i], *b = &reference->boxes[pair->reference];
        pair->same = pair->overlap >= SAME_PLACE && a->id == b->id && !xr_names_differ(a->label, b->label);
    }
    for (int k = 0; k < counted(reference); k++)
        if (!taken[k])
            out[count++] = (xr_box_pair){.edge = XR_NO_BOX, .reference = k};
    return count;
}

static bool boxes_differ(const exray_result *edge, const exray_result *reference)
{
    xr_box_pair pairs[2 * XR_BOXES_MOST];
    size_t count = xr_pair_boxes(edge, reference, pairs);
    for (size_t i = 0; i < count; i++)
        if (!pairs[i].same)
            return true;
    return edge->box_count != reference->box_count;
}

/* ---- Names -------------------------------------------------------------------------------- */

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || ((unsigned char)c & 0x80);
}

/* Not said of a name that begins with the other: "tench" and "tench, Tinca tinca"; nor of other letter cases,
 * blanks and signs. */
bool xr_names_differ(const char *a, const char *b)
{
    if (!a || !b || !*a || !*b)
        return false;
    for (;;) {
        while (*a && !is_word(*a))
            a++;
        while (*b && !is_word(*b))
            b++;
        if (!*a || !*b)
            return false;
        if (tolower((unsigned char)*a++) != tolower((unsigned char)*b++))
            return true;
    }
}

/* ---- Everything else --------------------------------------------------------------------------- */

unsigned xr_mask_at(const exray_mask *mask, size_t pixel)
{
    const uint8_t *ids = mask->ids;
    return mask->wide ? ids[2 * pixel] | (unsigned)ids[2 * pixel + 1] << 8 : ids[pixel];
}

double xr_masks_apart(const exray_mask *a, const exray_mask *b)
{
    size_t pixels = (size_t)a->width * a->height, apart = 0;
    if (pixels == 0 || a->width != b->width || a->height != b->height)
        return NAN;
    for (size_t i = 0; i < pixels; i++)
        apart += xr_mask_at(a, i) != xr_mask_at(b, i);
    return (double)apart / (double)pixels;
}

static bool masks_differ(const exray_mask *a, const exray_mask *b)
{
    return (a != NULL) != (b != NULL) || (a && !(xr_masks_apart(a, b) < MASK_APART));
}

static bool points_differ(const exray_result *a, const exray_result *b)
{
    if (a->keypoint_count != b->keypoint_count)
        return true;
    for (uint32_t i = 0; i < a->keypoint_count; i++)
        if (!(fabs((double)a->keypoints[i].x - (double)b->keypoints[i].x) < POINT_APART) ||
            !(fabs((double)a->keypoints[i].y - (double)b->keypoints[i].y) < POINT_APART))
            return true;
    return false;
}

double xr_vectors_cosine(const exray_vector *a, const exray_vector *b)
{
    double ab = 0, aa = 0, bb = 0;
    if (a->count != b->count)
        return NAN;
    for (uint32_t i = 0; i < a->count; i++) {
        ab += (double)a->values[i] * (double)b->values[i];
        aa += (double)a->values[i] * (double)a->values[i];
        bb += (double)b->values[i] * (double)b->values[i];
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : NAN;
}

static bool vectors_differ(const exray_result *a, const exray_result *b)
{
    if (a->vector_count != b->vector_count)
        return true;
    for (uint32_t i = 0; i < a->vector_count; i++)
        if (!(xr_vectors_cosine(&a->vectors[i], &b->vectors[i]) >= ONE_WAY))
            return true;
    return false;
}

static bool classes_differ(const exray_result *edge, const exray_result *reference)
{
    if (edge->class_count == 0 || reference->class_count == 0)
        return edge->class_count != reference->class_count;
    return edge->classes[0].id != reference->classes[0].id ||
           xr_names_differ(edge->classes[0].label, reference->classes[0].label);
}

bool xr_told_differs(const exray_result *edge, const exray_result *reference)
{
    return classes_differ(edge, reference) ||
           strcmp(edge->text ? edge->text : "", reference->text ? reference->text : "") != 0 ||
           boxes_differ(edge, reference) || masks_differ(edge->mask, reference->mask) ||
           points_differ(edge, reference) || vectors_differ(edge, reference);
}
