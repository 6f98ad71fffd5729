/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * A second reading of datagrams, to compare with what dco_linux.c makes of them.
 */
#ifndef VALID_H
#define VALID_H

#include <stdbool.h>
#include <stddef.h>

/** A notification that has to be handed on. */
struct expectation
{
    int peer_id;
    int reason;
    bool raises;                /* a signal, when it is */
    bool spends;                /* a second, when it is */
};

/**
 * Find the valid DEL_PEERs of our interface in a datagram, as netlink(7) and
 * ovpn_dco_linux.h say, with nothing of libnl.
 *
 * @param data      aligned to 4
 * @param len       its bytes
 * @param found     out: one for each, in their order; neither raises nor spends
 * @param filled    out: whether the last message ends where the datagram does, so
 *                  that another one can be put behind it
 *
 * @return          how many there are
 */
int valid_notifications(const void *data, size_t len, struct expectation *found, bool *filled);

#endif /* ifndef VALID_H */
