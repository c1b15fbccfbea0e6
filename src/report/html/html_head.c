#include "report/html/html_head.h"

#include "report/html/text/html_text.h"

#include <exray/exray.h>

/* html/report.css, embedded by cmake/embed.cmake. */
extern const unsigned char xr_report_css[];
extern const size_t xr_report_css_size;

static void put_hash(FILE *out, const unsigned char *data, size_t size)
{
    uint8_t hash[32];
    exray_sha256(data, size, hash);
    fputs("'sha256-", out);
    xr_put_base64(out, hash, sizeof hash);
    fputc('\'', out);
}

void xr_html_policy(FILE *out, const unsigned char *script, size_t script_size)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
          "media-src data:; style-src ",
          out);
    put_hash(out, xr_report_css, xr_report_css_size);
    if (script) {
        fputs("; script-src ", out);
        put_hash(out, script, script_size);
    }
    fputs("\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\">\n",
          out);
}

void xr_html_style(FILE *out)
{
    fputs("<style>", out);
    fwrite(xr_report_css, 1, xr_report_css_size, out);
    fputs("</style>\n", out);
}
