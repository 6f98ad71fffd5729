/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Gives files to the fuzz target, one by one, as libFuzzer does with files on
 * its command line: for compilers that have no libFuzzer, and for valgrind.
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* more than the target looks at */
#define SIZE_LIMIT 65536

static void
replay(const char *name)
{
    FILE *file = fopen(name, "rb");
    /* as large as the input, so that a read beyond it is seen */
    uint8_t *data = malloc(SIZE_LIMIT);

    if (!file || !data)
        err(2, "%s", name);
    size_t size = fread(data, 1, SIZE_LIMIT, file);
    if (ferror(file))
        err(2, "%s: cannot read", name);
    fclose(file);
    if (size)
        data = realloc(data, size);
    fprintf(stderr, "%s\n", name);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

int
main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--help"))
    {
        puts("Usage: replay FILE...\n\nGives each file to the fuzz target; aborts at the first finding.");
        return 0;
    }
    if (argc < 2 || argv[1][0] == '-')
        errx(2, "files, please; see replay --help");
    for (int i = 1; i < argc; ++i)
        replay(argv[i]);
    return 0;
}
