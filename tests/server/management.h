/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Talks to the management interface of the server in the same process. It is
 * the server that reads, so nothing here waits for an answer.
 */
#ifndef MANAGEMENT_H
#define MANAGEMENT_H

#include <stdbool.h>

/* Send a command, to the socket 'management' in folder RUN */
void management_command(const char *run, const char *format, ...)
__attribute__((format(printf, 2, 3)));

/* Whether the server has read what was sent */
bool management_was_read(void);

#endif
