/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * A second reading of datagrams, to compare with what dco_linux.c makes of them.
 */
#ifndef VALID_H
#define VALID_H

#include <stdbool.h>
#include <stddef.h>

/** What a notification says. */
struct notified
{
    int peer_id;
    int reason;
};

/**
 * Find the valid DEL_PEERs of our interface in a datagram, which is aligned to 4, as
 * netlink(7) and ovpn_dco_linux.h say, with nothing of libnl.
 *
 * @param found     out: one for each, in their order
 * @param filled    out: whether the last message ends where the datagram does, so
 *                  that another one can be put behind it
 * @param clean     out: whether all that it has are DEL_PEERs as the kernel sends
 *                  them, of whatever interface
 *
 * @return          how many there are
 */
int valid_notifications(const void *data, size_t len, struct notified *found, bool *filled,
                        bool *clean);

#endif /* ifndef VALID_H */
