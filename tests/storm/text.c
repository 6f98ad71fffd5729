/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Text that is put together.
 */
#include "storm.h"

#include <stdarg.h>
#include <stdlib.h>

char *
vtext(const char *format, va_list args)
{
    char *result;

    if (vasprintf(&result, format, args) < 0)
    {
        perror("storm");
        _Exit(STATUS_FAILED);
    }
    return result;
}

char *
text(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *result = vtext(format, args);
    va_end(args);
    return result;
}
