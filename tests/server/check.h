/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>

/* Compare the peers in the kernel, the server's instances, its count of them, their
 * routes, and what it reported; or in P2P mode its one peer and the kernel's. What does
 * not agree is a finding. */
void check(bool p2p);

#endif
