/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What waits for the server while it closes clients whose client-disconnect script takes
 * a second each: a command to the management interface, and a packet, or over TCP a
 * connection. Each has to be served before a second script has run. No time is measured.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>

/* A script begins: what has waited for a whole one is a finding. */
void probe_script_begins(void);

/* It has ended: what was served is sent again. RUN is the folder with the
 * management interface's socket. */
void probe_script_ends(bool tcp, const char *run);

#endif
