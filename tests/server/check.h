/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compares what the server has, and what it reported to the plugin (plugin.c), which it
 * has loaded, with the kernel. What does not agree is a finding.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdint.h>

struct report;

/* A client instance of the server, of which nothing was reported yet */
struct report *report_new(void);

void report_connected(struct report *report);

/* Whether byte counts are compared: while the situation lasts, or each scenario
 * would tell anew how stock counts when a peer expires */
void reports_compare(bool bytes);

/* More than once is a finding, and so are other bytes than the kernel has counted
 * for that client, at ADDRESS (host byte order) */
void report_disconnected(struct report *report, uint32_t address, uint64_t received, uint64_t sent);

/* The number of clients that were reported as connected and not as disconnected */
int reports_open(void);

/* Compare the peers in the kernel, the server's instances, its count of them, their
 * routes, and the reports; or in P2P mode its one peer and the kernel's */
void check(bool p2p);

#endif
