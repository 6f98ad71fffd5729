/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Talks to the management interface of the server in the same process. It is
 * the server that reads, so nothing here waits for an answer.
 */
#ifndef MANAGEMENT_H
#define MANAGEMENT_H

#include <stdbool.h>

/* Send a command, to the socket 'management' in this folder */
void management_command(const char *format, ...)
__attribute__((format(printf, 1, 2)));

/*
 * What waits for the server while it closes clients whose client-disconnect script takes
 * a second each: a command to the management interface, and a packet, or over TCP a
 * connection. Each has to be served before a second script has run. No time is measured.
 */

/* A script begins: what has waited for a whole one is a finding. */
void probe_script_begins(void);

/* It has ended: what was served is sent again. */
void probe_script_ends(bool tcp);

#endif
