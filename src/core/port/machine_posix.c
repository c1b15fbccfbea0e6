#define _GNU_SOURCE
#include "core/port/machine_posix.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* cpuinfo of many processors is long, and boards write their names at its end. */
enum { PART = 1024, PARTS_MOST = 256, TEXT = 96 };

static int open_below(const char *root, const char *path)
{
    char whole[512];
    const int size = snprintf(whole, sizeof whole, "%s%s", root, path);
    return size > 0 && (size_t)size < sizeof whole ? open(whole, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
}

/* The first bytes of a file; returns how many. */
static size_t read_some(const char *root, const char *path, char *out, size_t most)
{
    const int handle = open_below(root, path);
    if (handle < 0)
        return 0;
    const ssize_t n = read(handle, out, most);
    close(handle);
    return n > 0 ? (size_t)n : 0;
}

/* One line of text: what a file of firmware holds may be anything. */
static void clean(char *text)
{
    size_t size = 0;
    for (const char *at = text + strspn(text, " \t"); *at && *at != '\n'; at++)
        text[size++] = (unsigned char)*at < ' ' || (unsigned char)*at > '~' ? ' ' : *at;
    while (size && text[size - 1] == ' ')
        size--;
    text[size] = 0;
}

static void first_line(const char *root, const char *path, char out[TEXT])
{
    out[read_some(root, path, out, TEXT - 1)] = 0;
    clean(out);
}

/* Copies a value that says something: boards leave their makers' placeholders standing. */
static bool take(const char *value, char *out, size_t size)
{
    static const char *const placeholders[] = {
        "To be filled",  "To Be Filled", "Default string", "System Product", "System manufacturer",
        "Not Specified", "None",         "Unknown",        "O.E.M."};
    for (size_t i = 0; i < sizeof placeholders / sizeof *placeholders; i++)
        if (strncmp(value, placeholders[i], strlen(placeholders[i])) == 0)
            return false;
    if (*value)
        snprintf(out, size, "%s", value);
    return *value;
}

/* ---- /proc/cpuinfo ------------------------------------------------------------------------ */

typedef struct cpuinfo {
    char name[TEXT], model[TEXT], hardware[TEXT]; /* of the first line of each */
} cpuinfo;

static void take_line(cpuinfo *info, char *line)
{
    char *const colon = strchr(line, ':');
    if (!colon)
        return;
    *colon = 0;
    clean(line);
    clean(colon + 1);
    const struct {
        const char *key;
        char *value;
    } keys[] = {{"model name", info->name}, {"Model", info->model}, {"Hardware", info->hardware}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(line, keys[i].key) == 0 && !*keys[i].value)
            snprintf(keys[i].value, TEXT, "%.95s", colon + 1);
}

static void read_cpuinfo(const char *root, cpuinfo *info)
{
    char part[PART], line[2 * TEXT];
    size_t used = 0;
    ssize_t n = 0;
    const int handle = open_below(root, "/proc/cpuinfo");
    memset(info, 0, sizeof *info);
    for (int i = 0; handle >= 0 && i < PARTS_MOST && (n = read(handle, part, sizeof part)) > 0; i++)
        for (ssize_t k = 0; k < n; k++) {
            if (part[k] != '\n') {
                if (used < sizeof line - 1) /* what is longer is cut */
                    line[used++] = part[k] ? part[k] : ' ';
                continue;
            }
            line[used] = 0;
            take_line(info, line);
            used = 0;
        }
    line[used] = 0;
    take_line(info, line);
    if (handle >= 0)
        close(handle);
}

/* ---- The parts ------------------------------------------------------------------------------ */

/* "raspberrypi,4-model-b", "brcm,bcm2711": from the board to the chip; the last one is the chip. */
static bool chip_of_device_tree(const char *root, char *out, size_t size)
{
    char list[512], chip[TEXT];
    size_t end = read_some(root, "/proc/device-tree/compatible", list, sizeof list - 1);
    list[end] = 0;
    while (end && !list[end - 1])
        end--;
    size_t begin = end;
    while (begin && list[begin - 1])
        begin--;
    snprintf(chip, sizeof chip, "%.95s", list + begin);
    clean(chip);
    return take(chip, out, size);
}

/* The maker and the product; for machines without a device tree. */
static void product_of_dmi(const char *root, char out[2 * TEXT])
{
    char vendor[TEXT] = "", product[TEXT] = "", line[TEXT];
    first_line(root, "/sys/class/dmi/id/sys_vendor", line);
    take(line, vendor, sizeof vendor);
    first_line(root, "/sys/class/dmi/id/product_name", line);
    if (!take(line, product, sizeof product)) {
        first_line(root, "/sys/class/dmi/id/board_name", line);
        take(line, product, sizeof product);
    }
    const bool both = *vendor && *product && strncmp(product, vendor, strlen(vendor)) != 0;
    snprintf(out, 2 * TEXT, "%s%s%s", both ? vendor : "", both ? " " : "", product);
}

/* The system's name of /etc/os-release, before that of the kernel. */
static void name_system(const char *root, char *os, size_t size)
{
    static const char key[] = "PRETTY_NAME=";
    char text[PART + 1], kernel[TEXT];
    text[read_some(root, "/etc/os-release", text, PART)] = 0;
    char *at = strncmp(text, key, strlen(key)) == 0 ? text : strstr(text, "\nPRETTY_NAME=");
    if (!at)
        return;
    at = strchr(at, '=') + 1;
    at += strspn(at, "\"'");
    at[strcspn(at, "\"'\n")] = 0;
    clean(at);
    if (!*at)
        return;
    snprintf(kernel, sizeof kernel, "%.95s", os);
    snprintf(os, size, "%.48s%s%.40s", at, *kernel ? ", " : "", kernel);
}

void xr_read_machine(const char *root, xr_port_machine *out)
{
    char line[TEXT], product[2 * TEXT];
    cpuinfo cpu;
    read_cpuinfo(root, &cpu);
    product_of_dmi(root, product);
    name_system(root, out->os, sizeof out->os);
    /* A board's own name where there is one: "Raspberry Pi 4 Model B Rev 1.4". */
    first_line(root, "/proc/device-tree/model", line);
    if (!take(line, out->device, sizeof out->device))
        take(cpu.model, out->device, sizeof out->device);
    if (!take(cpu.name, out->cpu, sizeof out->cpu) && !take(cpu.model, out->cpu, sizeof out->cpu))
        take(cpu.hardware, out->cpu, sizeof out->cpu);
    /* The chip; of a machine that does not tell it, what it is sold as. */
    if (!chip_of_device_tree(root, out->soc, sizeof out->soc) &&
        !take(cpu.hardware, out->soc, sizeof out->soc) && !take(cpu.name, out->soc, sizeof out->soc))
        take(product, out->soc, sizeof out->soc);
}
