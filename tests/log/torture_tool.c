/* Damages logs in every way that storage and crashes have, and reads them: the table of `make torture`.
 *
 *     torture_tool COUNT                  so many random cases of each kind of damage; 0: the least
 *     torture_tool COUNT LOG DAMAGE       one row of the table alone
 *
 * Of each damaged log: no value is read that was not recorded, neither from it nor from what `recover` makes
 * of it; what is lost is told; and only frames are lost that the damage touches.  Exit status 1: a limit does
 * not hold. */
#define _GNU_SOURCE
#include "torture_link.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const torture_kind kinds[] = {
    {"stream", true, EXRAY_COMPRESSION_NONE, 40, 6000},
    {"stream, small frames", true, EXRAY_COMPRESSION_NONE, 60, 64},
    {"chunks", false, EXRAY_COMPRESSION_NONE, 40, 6000},
    {"chunks, lz4", false, EXRAY_COMPRESSION_LZ4, 40, 6000},
    {"chunks, zstd", false, EXRAY_COMPRESSION_ZSTD, 40, 6000},
};
enum { KINDS = sizeof kinds / sizeof *kinds, BLOCK = 4096 };

/* A row of the table. */
typedef struct row {
    size_t cases, unreadable, wrong, untold;
    size_t lost;      /* frames */
    size_t untouched; /* of them, such that the damage did not touch */
} row;

static uint64_t random_state = 88172645463325252u;

static uint64_t random_below(uint64_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return limit ? random_state % limit : 0;
}

/* Whether bytes from..to belong to frame f.  A frame in chunks lies somewhere between what was handed over
 * before it and a few frames later, when its chunk was full. */
static bool touches(const torture_log *log, int f, size_t from, size_t to)
{
    enum { LATER = 12 };
    size_t begin = f ? log->end[f - 1] : log->begin;
    int last = log->stream ? f : f + LATER < log->frames ? f + LATER : log->frames;
    return from < log->end[last] && to > begin;
}

/* Damage from..to; `bounded`: what it does not touch must be there. */
static void judge(const torture_log *log, const uint8_t *bytes, size_t size, size_t from, size_t to,
                  bool bounded, row *r)
{
    static torture_outcome read, recovered;
    torture_open(bytes, size, log, &read);
    torture_recover(bytes, size, log, &recovered);
    r->cases++;
    r->wrong += read.wrong + recovered.wrong;
    /* What names channels and the log itself stands at the beginning. */
    bool beginning = from < (log->stream ? log->end[0] : log->begin);
    r->unreadable += !read.opened;
    r->untouched += !read.opened && !beginning;
    if (!read.opened)
        return;
    size_t lost = (size_t)log->frames - read.whole;
    r->lost += lost;
    r->untold += lost && !read.told;
    r->untold += recovered.whole < (size_t)log->frames && !recovered.told;
    for (int f = 0; f < log->frames && bounded && !beginning; f++)
        if (!touches(log, f, from, to))
            r->untouched += !read.frame[f] + !recovered.frame[f];
}

/* ---- Damage ------------------------------------------------------------------- */

typedef void (*damage_fn)(const torture_log *log, uint8_t *bytes, size_t *size, size_t *from, size_t *to,
                          size_t number);

static void truncate_log(const torture_log *log, uint8_t *bytes, size_t *size, size_t *from, size_t *to,
                         size_t number)
{
    (void)bytes;
    (void)number;
    *size = *from = (size_t)random_below(log->size);
    *to = log->size;
}

static void lose_bytes(const torture_log *log, uint8_t *bytes, size_t *size, size_t *from, size_t *to,
                       size_t number)
{
    size_t gone = 1 + (size_t)random_below(number % 2 ? 64 : 2000);
    *from = (size_t)random_below(log->size - gone);
    *to = *from + gone;
    memmove(bytes + *from, bytes + *to, log->size - *to);
    *size -= gone;
}

static void zero_bytes(const torture_log *log, uint8_t *bytes, size_t *size, size_t *from, size_t *to,
                       size_t number)
{
    (void)size;
    (void)number;
    size_t gone = 1 + (size_t)random_below(64);
    *from = (size_t)random_below(log->size - gone);
    *to = *from + gone;
    memset(bytes + *from, 0, gone);
}

static void zero_block(const torture_log *log, uint8_t *bytes, size_t *size, size_t *from, size_t *to,
                       size_t number)
{
    (void)size;
    (void)number;
    *from = (size_t)random_below((log->size + BLOCK - 1) / BLOCK) * BLOCK;
    *to = *from + BLOCK < log->size ? *from + BLOCK : log->size;
    memset(bytes + *from, 0, *to - *from);
}

/* A block of which only a part was written: the rest is older data. */
static void tear_block(const torture_log *log, uint8_t *bytes, size_t *size, size_t *from, size_t *to,
                       size_t number)
{
    (void)size;
    size_t blocks = log->size / BLOCK, block = 1 + (size_t)random_below(blocks - 1);
    size_t kept = (size_t)random_below(BLOCK);
    *from = block * BLOCK + kept;
    *to = (block + 1) * BLOCK < log->size ? (block + 1) * BLOCK : log->size;
    size_t other = (size_t)random_below(block) * BLOCK + kept;
    for (size_t i = 0; *from + i < *to; i++)
        bytes[*from + i] = number % 2 ? (uint8_t)random_below(256) : log->bytes[other + i];
}

static void swap_blocks(const torture_log *log, uint8_t *bytes, size_t *size, size_t *from, size_t *to,
                        size_t number)
{
    (void)size;
    (void)number;
    uint8_t block[BLOCK];
    size_t blocks = log->size / BLOCK, a = 1 + (size_t)random_below(blocks - 1),
           b = 1 + (size_t)random_below(blocks - 1);
    memcpy(block, bytes + a * BLOCK, BLOCK);
    memmove(bytes + a * BLOCK, bytes + b * BLOCK, BLOCK);
    memcpy(bytes + b * BLOCK, block, BLOCK);
    *from = (a < b ? a : b) * BLOCK;
    *to = (a < b ? b : a) * BLOCK + BLOCK;
}

static void flip_bit(const torture_log *log, uint8_t *bytes, size_t *size, size_t *from, size_t *to,
                     size_t number)
{
    (void)size;
    (void)number;
    size_t bit = (size_t)random_below(8 * log->size);
    bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    *from = bit / 8;
    *to = *from + 1;
}

static const struct {
    const char *name;
    damage_fn apply;
} damages[] = {
    {"truncated", truncate_log},           {"up to 2000 bytes lost", lose_bytes},
    {"up to 64 bytes zeroed", zero_bytes}, {"a 4 KiB block zeroed", zero_block},
    {"a 4 KiB block torn", tear_block},    {"two 4 KiB blocks exchanged", swap_blocks},
    {"a bit flipped", flip_bit},
};

/* ---- The table ------------------------------------------------------------------ */

static bool failed;

static void print(const char *kind, const char *damage, const row *r)
{
    bool good = !r->wrong && !r->untold && !r->untouched;
    printf("%-22s %-28s %7zu %10zu %10.2f %8zu %8zu %9zu  %s\n", kind, damage, r->cases, r->unreadable,
           r->cases ? (double)r->lost / (double)r->cases : 0, r->wrong, r->untold, r->untouched,
           good ? "" : "FAILED");
    fflush(stdout);
    failed = failed || !good;
}

/* Every kind of damage, or the one of that name. */
static void torture(const torture_kind *kind, size_t count, const char *only)
{
    torture_log log = torture_record(kind);
    uint8_t *bytes = malloc(log.size);
    for (size_t d = 0; d < sizeof damages / sizeof *damages; d++) {
        row r = {0};
        if (only && strcmp(only, damages[d].name) != 0)
            continue;
        for (size_t n = 0; n < count; n++) {
            size_t size = log.size, from, to;
            memcpy(bytes, log.bytes, log.size);
            damages[d].apply(&log, bytes, &size, &from, &to, n);
            judge(&log, bytes, size, from, to, true, &r);
        }
        print(kind->name, damages[d].name, &r);
    }
    free(bytes);
    free(log.bytes);
}

/* Every bit (or every `step`th) of a small log. */
static void torture_bits(const torture_kind *of, size_t step)
{
    torture_kind kind = *of;
    kind.frames = 3;
    kind.input = 64;
    torture_log log = torture_record(&kind);
    row r = {0};
    for (size_t bit = 0; bit < 8 * log.size; bit += step) {
        log.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        judge(&log, log.bytes, log.size, bit / 8, bit / 8 + 1, true, &r);
        log.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    print(kind.name, step == 1 ? "each bit of three frames" : "some bits of three frames", &r);
    free(log.bytes);
}

/* ---- On a link ----------------------------------------------------------------------- */

static const torture_kind sent[] = {
    {"link", true, EXRAY_COMPRESSION_NONE, 40, 6000},
    {"link, small frames", true, EXRAY_COMPRESSION_NONE, 60, 64},
};

/* What a receiver makes of a damaged link: nothing on it says that more was to come, so that a link that is
 * cut off between two packets (`cut`) loses frames untold.  What names channels stands at the beginning; it
 * comes again, in turn, maybe not before the end. */
static void judge_link(const torture_log *log, const uint8_t *bytes, size_t size, size_t from, size_t to,
                       bool cut, bool killed, row *r)
{
    static torture_outcome read;
    torture_receive(bytes, size, killed, log, &read);
    const size_t lost = (size_t)log->frames - read.whole;
    r->cases++;
    r->unreadable += !read.opened;
    r->wrong += read.wrong;
    r->lost += lost;
    r->untold += lost && !read.told && !cut;
    for (int f = 0; f < log->frames && from >= log->end[0]; f++)
        r->untouched += !touches(log, f, from, to) && !read.frame[f];
}

static void torture_link(const torture_kind *kind, size_t count)
{
    torture_log log = torture_send(kind);
    uint8_t *bytes = malloc(log.size);
    for (size_t d = 0; d <= sizeof damages / sizeof *damages; d++) {
        const bool killed = d == sizeof damages / sizeof *damages;
        row r = {0};
        for (size_t n = 0; n < count; n++) {
            size_t size = log.size, from, to;
            memcpy(bytes, log.bytes, log.size);
            damages[killed ? 0 : d].apply(&log, bytes, &size, &from, &to, n);
            judge_link(&log, bytes, size, from, to, killed || damages[d].apply == truncate_log, killed, &r);
        }
        print(kind->name, killed ? "the receiver killed" : damages[d].name, &r);
    }
    free(bytes);
    free(log.bytes);
}

/* ---- Killed ----------------------------------------------------------------------- */

static void record_until_killed(const torture_kind *kind, const char *path, _Atomic uint64_t *ended)
{
    exray_recorder recorder;
    const exray_recorder_config config = torture_config(kind);
    if (exray_recorder_open_file(&recorder, path, &config))
        _exit(2);
    for (uint64_t f = 0;; f++) {
        torture_frame(&recorder, f, kind->input);
        atomic_store(ended, f + 1);
    }
}

static uint8_t *read_all(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    *size = 0;
    if (!file)
        return NULL;
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*size + 1);
    *size = fread(bytes, 1, *size, file);
    fclose(file);
    return bytes;
}

/* kill -9 of the process that records. */
static void torture_killed(const torture_kind *kind, size_t count)
{
    static torture_outcome read, recovered;
    char path[] = "/tmp/torture-XXXXXX";
    int file = mkstemp(path);
    _Atomic uint64_t *ended =
        mmap(NULL, sizeof *ended, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    row r = {0};
    if (file >= 0)
        close(file);
    for (size_t n = 0; n < count; n++) {
        atomic_store(ended, 0);
        unlink(path);
        pid_t child = fork();
        if (child == 0)
            record_until_killed(kind, path, ended);
        nanosleep(&(struct timespec){.tv_nsec = 500000 + (long)random_below(15000000)}, NULL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        const torture_log of = {.frames = sizeof read.frame, .input = kind->input};
        size_t size;
        uint8_t *bytes = read_all(path, &size);
        torture_open(bytes, size, &of, &read);
        torture_recover(bytes, size, &of, &recovered);
        free(bytes);
        uint64_t were = atomic_load(ended);
        r.cases++;
        r.unreadable += !read.opened;
        r.wrong += read.wrong + recovered.wrong;
        r.untold += read.opened && !read.told;
        if (were > read.whole)
            r.lost += were - read.whole;
        /* A stream hands over each frame at its end. */
        for (uint64_t f = 0; kind->stream && f < were && f < sizeof read.frame; f++)
            r.untouched += !read.frame[f] + !recovered.frame[f];
    }
    print(kind->name, "kill -9", &r);
    unlink(path);
    munmap((void *)ended, sizeof *ended);
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
    printf("%-22s %-28s %7s %10s %10s %8s %8s %9s\n", "log", "damage", "cases", "unreadable", "frames",
           "wrong", "lost", "lost, not");
    printf("%-22s %-28s %7s %10s %10s %8s %8s %9s\n", "", "", "", "", "lost each", "values", "untold",
           "touched");
    printf("%-22s %-28s %7s %10s %10s %8s %8s %9s\n", "limit", "", "", "beginning", "", "0", "0", "0");
    for (size_t k = 0; k < KINDS; k++) {
        if (argc > 3) {
            if (strcmp(argv[2], kinds[k].name) == 0)
                torture(&kinds[k], count, argv[3]);
            continue;
        }
        torture(&kinds[k], count, NULL);
        torture_bits(&kinds[k], count >= 500 ? 1 : 997);
        torture_killed(&kinds[k], count >= 500 ? count : 3);
    }
    for (size_t k = 0; argc <= 3 && k < sizeof sent / sizeof *sent; k++)
        torture_link(&sent[k], count);
    return failed;
}
