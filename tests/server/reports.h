/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which clients the server reported as connected and as disconnected, to the
 * plugin (plugin.c), which it has loaded.
 */
#ifndef REPORTS_H
#define REPORTS_H

struct report;

/* A client instance of the server, of which nothing was reported yet */
struct report *report_new(void);

void report_connected(struct report *report);

/* More than once is a finding */
void report_disconnected(struct report *report);

/* The number of clients that were reported as connected and not as disconnected */
int reports_open(void);

#endif
