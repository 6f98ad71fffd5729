/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CHECK_H
#define CHECK_H

/* Compare the peers in the kernel, the server's instances, its count of them and
 * what it reported. What does not agree is a finding. */
void check_server(void);

/* The same in point-to-point mode: the kernel's one peer, and the server's */
void check_p2p(void);

#endif
