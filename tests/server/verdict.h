/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was found wrong in a scenario. A scenario without a finding, whose
 * server ended as told, is passed.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include <unistd.h>

/* The file that the following lines go to, each at once; interleave reads it */
void verdict_open(const char *path);

/* A line: "finding KIND ...", "step NAME" (how far it came), "request NAME", or "end", the
 * last of it: a server that ended well without this is no result */
void verdict_line(const char *format, ...)
__attribute__((format(printf, 1, 2)));

/* One more finding: its kind, one word, and what was seen (a format, and arguments). What
 * goes wrong with the harness itself is of the kind "setup". */
#define verdict_add(kind, ...) verdict_line("finding " kind " " __VA_ARGS__)

/* As verdict_add(), and the process ends here and now */
#define verdict_stop(kind, ...) \
    do                          \
    {                           \
        verdict_add(kind, __VA_ARGS__); \
        _exit(3);               \
    } while (0)

#endif
