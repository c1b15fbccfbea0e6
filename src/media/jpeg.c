/* JPEG: gray, RGB, YCbCr, CMYK, YCCK, baseline and progressive. */
#include "base/error.h"
#include "media/decoders.h"

#include <stdio.h> /* jpeglib.h needs FILE */

#include <jpeglib.h>

#include <jerror.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

/* A progressive file of a few bytes can ask for scan after scan over a huge
 * picture; real ones have about ten. */
enum { MOST_SCANS = 200 };

typedef struct decoder {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf out_of_here;
    bool ends_early;
    char message[JMSG_LENGTH_MAX];
} decoder;

static void on_error(j_common_ptr jpeg)
{
    decoder *d = jpeg->client_data;
    jpeg->err->format_message(jpeg, d->message);
    longjmp(d->out_of_here, 1);
}

/* libjpeg only warns where it invents samples; a reference must not.  Warnings that leave every sample as
 * the file has it are ignored, as Pillow does. */
static void on_message(j_common_ptr jpeg, int level)
{
    decoder *d = jpeg->client_data;
    if (level >= 0)
        return; /* a trace */
    switch (jpeg->err->msg_code) {
    case JWRN_JPEG_EOF:
        d->ends_early = true;
        longjmp(d->out_of_here, 1);
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_NOT_SEQUENTIAL:
    case JWRN_BOGUS_PROGRESSION:
        on_error(jpeg);
        break;
    default:
        break;
    }
}

static void on_output(j_common_ptr jpeg)
{
    (void)jpeg; /* nothing on the standard error stream */
}

static void on_progress(j_common_ptr jpeg)
{
    decoder *d = jpeg->client_data;
    if (d->jpeg.input_scan_number > MOST_SCANS) {
        snprintf(d->message, sizeof d->message, "it has more than %d scans", MOST_SCANS);
        longjmp(d->out_of_here, 1);
    }
}

static unsigned orientation_of(j_decompress_ptr jpeg)
{
    for (jpeg_saved_marker_ptr m = jpeg->marker_list; m; m = m->next)
        if (m->marker == JPEG_APP0 + 1 && m->data_length >= 6 && !memcmp(m->data, "Exif\0", 6))
            return xr_exif_orientation(m->data, m->data_length);
    return 1;
}

/* Inverted CMYK, as Adobe's and so nearly all files have it, to RGB in place;
 * the arithmetic of Pillow. */
static void cmyk_row(const uint8_t *cmyk, uint32_t width, xr_decode_way way, uint8_t *rgb)
{
    const unsigned turn = way == XR_DECODE_CMYK_PLAIN ? 255 : 0;
    for (uint32_t x = 0; x < width; x++, cmyk += 4, rgb += 3)
        for (int c = 0; c < 3; c++) {
            unsigned light = way == XR_DECODE_CMY ? 255 : cmyk[3] ^ turn; /* 255 - K */
            unsigned product = (255u - (cmyk[c] ^ turn)) * light + 128;
            product = ((product >> 8) + product) >> 8; /* ink * light / 255, rounded */
            rgb[c] = (uint8_t)(light - product);
        }
}

static exray_status allocate(decoder *d, size_t size, exray_picture *out, exray_error *error)
{
    j_decompress_ptr jpeg = &d->jpeg;
    /* Huffman coding spends at least a bit on a block of 64 samples; a file that
     * claims far more pixels than its bytes can hold is not worth the memory. */
    if (!jpeg->arith_code && (uint64_t)jpeg->image_width * jpeg->image_height / 4096 > size)
        return xr_error_set(error, EXRAY_E_FORMAT,
                            "the JPEG says %u x %u pixels, far more than its %zu bytes hold",
                            jpeg->image_width, jpeg->image_height, size);
    jpeg_calc_output_dimensions(jpeg);
    out->width = jpeg->output_width;
    out->height = jpeg->output_height;
    out->channels = jpeg->num_components == 1 ? 1 : 3;
    return xr_picture_allocate(out, "JPEG", error);
}

static exray_status read_rows(decoder *d, size_t size, xr_decode_way way, exray_picture *out, uint8_t **row,
                              exray_error *error)
{
    j_decompress_ptr jpeg = &d->jpeg;
    if ((way == XR_DECODE_CMY || way == XR_DECODE_CMYK_PLAIN) && jpeg->num_components != 4)
        return xr_error_set(error, EXRAY_E_UNSUPPORTED, "the JPEG has no four colors");
    if (jpeg->num_components == 4)
        jpeg->out_color_space = JCS_CMYK;
    else
        jpeg->out_color_space = jpeg->num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    exray_status status = allocate(d, size, out, error);
    if (status)
        return status;
    if (jpeg->num_components == 4 && !(*row = malloc((size_t)out->width * 4)))
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a JPEG");
    jpeg_start_decompress(jpeg);
    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *to = out->pixels + (size_t)jpeg->output_scanline * out->width * out->channels;
        JSAMPROW line = *row ? *row : to;
        if (jpeg_read_scanlines(jpeg, &line, 1) == 1 && *row)
            cmyk_row(*row, out->width, way, to);
    }
    jpeg_finish_decompress(jpeg);
    return EXRAY_OK;
}

exray_status xr_decode_jpeg(const uint8_t *data, size_t size, unsigned reduce, xr_decode_way way,
                            exray_picture *out, exray_error *error)
{
    decoder *d = calloc(1, sizeof *d);
    uint8_t **row = calloc(1, sizeof *row); /* on the heap: it must survive the longjmp */
    exray_status status;
    if (!d || !row) {
        free(d);
        free(row);
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a JPEG");
    }
    d->jpeg.err = jpeg_std_error(&d->errors);
    d->jpeg.client_data = d;
    d->errors.error_exit = on_error;
    d->errors.emit_message = on_message;
    d->errors.output_message = on_output;
    d->progress.progress_monitor = on_progress;
    if (setjmp(d->out_of_here)) {
        if (d->errors.msg_code == JERR_OUT_OF_MEMORY)
            status = xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a JPEG");
        else if (d->ends_early)
            status =
                xr_error_set(error, EXRAY_E_FORMAT, "the JPEG ends early (%zu bytes); fetch it again", size);
        else
            status = xr_error_set(error, EXRAY_E_FORMAT, "the JPEG is damaged: %s", d->message);
    } else {
        jpeg_create_decompress(&d->jpeg);
        d->jpeg.progress = &d->progress;
        jpeg_save_markers(&d->jpeg, JPEG_APP0 + 1, 0xFFFF);
        jpeg_mem_src(&d->jpeg, data, (unsigned long)size);
        jpeg_read_header(&d->jpeg, TRUE);
        out->orientation = orientation_of(&d->jpeg);
        d->jpeg.scale_num = 1;
        d->jpeg.scale_denom = reduce;
        status = read_rows(d, size, way, out, row, error);
    }
    jpeg_destroy_decompress(&d->jpeg);
    free(*row);
    free(row);
    free(d);
    return status;
}
