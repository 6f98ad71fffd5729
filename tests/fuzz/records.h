/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * What an input of the fuzz target is made of.
 *
 * An input is a sequence of records: a little-endian 16-bit length, and that
 * many bytes, which are one datagram on the notification socket: none, one or
 * several netlink messages. A last record that is too short is cut to what is
 * there; an odd byte at the end is ignored.
 *
 * A length of RECORD_CONTROL or more is none, and no bytes follow it:
 *  - 0xff00        the next datagram does not fit into the reader's buffer, and
 *                  is lost (MSG_TRUNC);
 *  - 0xff01 .. fd  recvmsg() fails with this errno, e.g. EINTR or ENOBUFS;
 *  - 0xfffe        the clock's second changes with the first notification of the
 *                  next datagram;
 *  - 0xffff        the first notification of the next datagram raises a signal
 *                  in the server.
 *
 * Every input is processed by a server and by a peer in P2P mode.
 */
#ifndef RECORDS_H
#define RECORDS_H

#include <stdint.h>

/* the generic-netlink family and the interface that the target listens to */
#define RECORD_FAMILY_ID    27
#define RECORD_IFINDEX      5

#define RECORD_CONTROL      0xff00
#define RECORD_TRUNCATED    0xff00
#define RECORD_ERROR(error) (0xff00 | (error))
#define RECORD_SECOND       0xfffe
#define RECORD_SIGNAL       0xffff

#endif /* ifndef RECORDS_H */
