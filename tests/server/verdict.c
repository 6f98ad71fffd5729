/* SPDX-License-Identifier: GPL-2.0-only */
#include "verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static FILE *out;

void
verdict_open(const char *path)
{
    out = fopen(path, "we");
    if (!out)
    {
        perror(path);
        exit(2);
    }
    setlinebuf(out);
}

static void
add(const char *kind, const char *format, va_list args)
{
    fprintf(out, "finding %s ", kind);
    vfprintf(out, format, args);
    fputc('\n', out);
}

void
verdict_add(const char *kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(kind, format, args);
    va_end(args);
}

void
verdict_stop(const char *kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(kind, format, args);
    va_end(args);
    _exit(3);
}

void
verdict_step(const char *step)
{
    fprintf(out, "step %s\n", step);
}

void
verdict_end(void)
{
    fputs("end\n", out);
}

void
verdict_request(const char *request)
{
    fprintf(out, "request %s\n", request);
}
