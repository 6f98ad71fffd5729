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
 * A length of RECORD_CONTROL or more is none, and no bytes follow it: see below. All
 * others are ignored.
 *
 * Every input is processed by a server, whose clients have the peer-ids from 0
 * on, and by a peer in P2P mode, whose other side is peer 1. A peer that a valid
 * notification is about is gone when that is sent.
 */
#ifndef RECORDS_H
#define RECORDS_H

#define RECORD_CONTROL      0xff00
/* the next datagram does not fit into 64 KiB */
#define RECORD_TRUNCATED    0xff00
/* recvmsg() fails with this errno, e.g. EINTR or ENOBUFS */
#define RECORD_ERROR(error) (0xff00 | (error))
#define RECORD_LAST_ERROR   0xff9f
/* the peer with this id, 0 to 63, is gone, and no notification tells */
#define RECORD_GONE(peer)   (0xffa0 + (peer))
#define RECORD_LAST_GONE    0xffdf
/* a new client has this peer-id, 0 to 7, and the kernel its peer: what is queued about
 * that id is late */
#define RECORD_BACK(peer)   (0xffe0 + (peer))
#define RECORD_LAST_BACK    0xffe7
/* from now on a no-op cannot be sent */
#define RECORD_NO_NOOP      0xfff7
/* ahead of all datagrams and errors: the server has 64 clients, not 8 */
#define RECORD_CLIENTS      0xfff8
/* the next request but those that have an answer already is answered with ENOMEM; or
 * late, after the request that follows it (without follow-up 2: never); or never */
#define RECORD_REFUSED      0xfff9
#define RECORD_LATE         0xfffa
#define RECORD_NO_REPLY     0xfffb
/* when the next datagram or error has been read, the event loop spends two seconds elsewhere */
#define RECORD_ELSEWHERE    0xfffc
/* what follows is sent when all before has been read, and the reader is done with it */
#define RECORD_PAUSE        0xfffd
/* it takes a second to close the next client that is lost; that raises a signal */
#define RECORD_SECOND       0xfffe
#define RECORD_SIGNAL       0xffff

#endif /* ifndef RECORDS_H */
