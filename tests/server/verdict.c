/* SPDX-License-Identifier: GPL-2.0-only */
#include "verdict.h"

#include <err.h>
#include <stdarg.h>
#include <stdio.h>

static FILE *out;

void
verdict_open(const char *path)
{
    out = fopen(path, "we");
    if (!out)
        err(2, "%s", path);
    setlinebuf(out);
}

void
verdict_line(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(out, format, args);
    va_end(args);
    fputc('\n', out);
}
