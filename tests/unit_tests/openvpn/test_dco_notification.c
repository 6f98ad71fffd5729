/*
 *  OpenVPN -- An application to securely tunnel IP networks
 *             over a single UDP port, with support for SSL/TLS-based
 *             session authentication and key exchange,
 *             packet encryption, packet authentication, and
 *             packet compression.
 *
 *  SPDX-License-Identifier: GPL-2.0-only
 *
 *  This program is free software; you can redistribute it and/or modify
 *  it under the terms of the GNU General Public License version 2
 *  as published by the Free Software Foundation.
 *
 *  This program is distributed in the hope that it will be useful,
 *  but WITHOUT ANY WARRANTY; without even the implied warranty of
 *  MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
 *  GNU General Public License for more details.
 */

/**
 * @file
 * Unit tests of dco_linux.c: notifications of the kernel, alone, in batches and
 * next to requests, are read, each is processed, and none is lost.
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "syshead.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#if defined(ENABLE_DCO) && defined(TARGET_LINUX)

#include "mock_netlink.h"
#include "mock_openvpn.h"
#include "otime.h"

/*
 * Batches
 */

struct batch_case
{
    int n;
    bool one_datagram;
};

static void
test_batch(void **state)
{
    const struct batch_case *b = *state;

    multicast_expired(0, b->n, b->one_datagram);
    run_event_loop();
    assert_expired(0, b->n);
    assert_int_equal(warned, 0);
}

#define BATCH_CASE(n, one_datagram) (&(struct batch_case){ n, one_datagram })

/*
 * Requests
 */

struct request_case
{
    int (*request)(void);
    struct batch *place;
    int error;
};

/* a notification is neither lost to a request nor processed by it, be it the
 * only message of its datagram or not, and does the request no harm */
static void
test_request(void **state)
{
    const struct request_case *r = *state;

    for (int n = 1; n <= 3; ++n)
    {
        n_processed = 0;
        for (int i = 0; i < n; ++i)
        {
            del_peer(r->place, 10 + i, OVPN_DEL_PEER_REASON_EXPIRED);
        }
        kernel.request_error = r->error;
        assert_int_equal(r->request(), r->error);
        assert_int_equal(n_processed, 0);

        run_event_loop();
        assert_expired(10, n);
    }
}

#define REQUEST_CASE(what, place, error)                                    \
    (&(struct request_case){ request_ ## what, &kernel.place, error })

/* an error in a reply is worth a message, but not that a peer that was asked for
 * is gone */
static void
test_error(void **state)
{
    const struct request *r = *state;
    const bool asks = r->make == request_get_peer || r->make == request_get_all_peers;

    kernel.request_error = -ENOENT;
    assert_int_equal(r->make(), -ENOENT);
    assert_in_range(warned, !asks, asks ? 0 : INT_MAX);

    warned = 0;
    kernel.request_error = -EPERM;
    assert_int_equal(r->make(), -EPERM);
    assert_in_range(warned, 1, INT_MAX);
}

static void
make_requests(void)
{
    on_notification = NULL;
    assert_int_equal(request_del_peer(), 0);
    assert_int_equal(request_get_peer(), 0);
    assert_int_equal(request_get_all_peers(), 0);
}

static void
notification__when_it_makes_requests__loses_no_other(void **state)
{
    on_notification = make_requests;
    del_peer(&kernel.between, 13, OVPN_DEL_PEER_REASON_EXPIRED);
    multicast_expired(10, 3, true);
    run_event_loop();
    assert_expired(10, 4);
}

/*
 * Bad messages
 */

static void
test_bad_message(void **state)
{
    const struct bad_message *bad = *state;
    static struct batch batch;

    for (int place = 0; place < 3; ++place)
    {
        n_processed = logged = 0;
        for (int i = 0; i < 3; ++i)
        {
            if (i == place)
            {
                add_bad_message(&batch, bad);
            }
            else
            {
                del_peer(&batch, 10 + i, OVPN_DEL_PEER_REASON_EXPIRED);
            }
        }
        multicast(&batch);
        run_event_loop();

        const struct notification expected[] = {
            { place == 0 ? 11 : 10, OVPN_DEL_PEER_REASON_EXPIRED },
            { place == 2 ? 11 : 12, OVPN_DEL_PEER_REASON_EXPIRED },
        };
        assert_processed(expected, SIZE(expected));
        /* a line for each notification, and one for the bad message */
        assert_int_equal(logged, 3);
    }
}

#define BAD_CASE(...) (&(struct bad_message){ __VA_ARGS__ })

/* a message that is good by itself, but that libnl would not just hand on */
struct flag_case
{
    int flags;
    uint32_t seq;
};

static void
test_flags(void **state)
{
    const struct flag_case *f = *state;
    static struct batch batch;

    for (int i = 0; i < 3; ++i)
    {
        struct nlmsghdr *nlh = (struct nlmsghdr *)(batch.data + batch.len);
        del_peer(&batch, 10 + i, OVPN_DEL_PEER_REASON_EXPIRED);
        nlh->nlmsg_flags |= f->flags;
        nlh->nlmsg_seq = f->seq;
    }
    multicast(&batch);
    assert_int_equal(run_event_loop(), 1);
    assert_expired(10, 3);
    assert_int_equal(warned, 0);
}

#define FLAG_CASE(flags, seq) (&(struct flag_case){ flags, seq })

/*
 * Contents
 */

static void
peer_id__when_smallest_and_largest__is_handed_on(void **state)
{
    static struct batch batch;
    const struct notification expected[] = {
        { 0, OVPN_DEL_PEER_REASON_EXPIRED },
        { MAX_CLIENTS - 1, OVPN_DEL_PEER_REASON_EXPIRED },
        { MAX_CLIENTS, OVPN_DEL_PEER_REASON_EXPIRED },
        { MAX_PEER_ID - 1, OVPN_DEL_PEER_REASON_EXPIRED },
        { MAX_PEER_ID, OVPN_DEL_PEER_REASON_EXPIRED },
    };

    for (size_t i = 0; i < SIZE(expected); ++i)
    {
        del_peer(&batch, expected[i].peer_id, expected[i].reason);
    }
    multicast(&batch);
    run_event_loop();
    assert_processed(expected, SIZE(expected));
}

static void
reason__when_any__is_handed_on(void **state)
{
    static struct batch batch;
    struct notification expected[__OVPN_DEL_PEER_REASON_AFTER_LAST];

    for (int i = 0; i < __OVPN_DEL_PEER_REASON_AFTER_LAST; ++i)
    {
        expected[i].peer_id = 7;
        expected[i].reason = i;
        del_peer(&batch, 7, i);
    }
    multicast(&batch);
    run_event_loop();
    assert_processed(expected, SIZE(expected));
}

static void
get_peer__when_the_peer_is_gone__makes_no_request(void **state)
{
    tls_multi.dco_peer_id = -1;
    top.c2.dco_read_bytes = 42;
    assert_int_equal(dco_get_peer_stats(&top), 0);
    assert_int_equal(kernel.n_requests, 0);
    assert_int_equal(top.c2.dco_read_bytes, 42);
}

/*
 * Reading
 */

static void
read__when_nothing_is_pending__returns_without_a_word(void **state)
{
    assert_int_equal(dco_read(&tuntap.dco), 0);
    assert_int_equal(kernel.fruitless_reads, 1);
    assert_int_equal(n_processed, 0);
    assert_int_equal(warned, 0);
}

static void
read__when_datagrams_are_pending__takes_all_in_one_pass(void **state)
{
    multicast_expired(0, READ_BOUND - 1, false);
    assert_int_equal(run_event_loop(), 1);
    assert_expired(0, READ_BOUND - 1);
}

static void
read__when_a_storm_is_pending__returns_after_a_bounded_number(void **state)
{
    multicast_expired(0, MAX_CLIENTS, false);
    dco_read(&tuntap.dco);
    assert_expired(0, READ_BOUND);
    assert_true(readable());

    assert_in_range(run_event_loop(), MAX_CLIENTS / READ_BOUND - 1,
                    MAX_CLIENTS / READ_BOUND);
    assert_expired(0, MAX_CLIENTS);
}

/* a client-disconnect script may take long: the others' notifications wait */
static void
read__when_the_second_changes__returns(void **state)
{
    on_notification = spend_a_second;
    multicast_expired(0, 5, false);
    for (int i = 1; i <= 5; ++i)
    {
        assert_true(readable());
        dco_read(&tuntap.dco);
        assert_expired(0, i);
        assert_int_equal(now, wall_clock.tv_sec);
    }
    assert_false(readable());
}

/* what came before it in this pass has taken long */
static void
read__when_the_pass_began_long_ago__takes_all(void **state)
{
    wall_clock.tv_sec += 10;
    multicast_expired(0, 5, false);
    dco_read(&tuntap.dco);
    assert_expired(0, 5);
}

static void
spend_some_time(void)
{
    /* the last moment of this second, then a second back */
    wall_clock.tv_usec = 999999;
    wall_clock.tv_sec -= n_processed == 3;
}

static void
read__when_the_second_does_not_change__goes_on(void **state)
{
    on_notification = spend_some_time;
    multicast_expired(0, 5, false);
    assert_int_equal(run_event_loop(), 1);
    assert_expired(0, 5);
}

static void
read__when_a_signal_is_raised__stops_after_that_datagram(void **state)
{
    on_notification = raise_signal;
    multicast_expired(0, 5, false);
    assert_int_equal(run_event_loop(), 1);
    assert_expired(0, 3);

    /* the others are left to be read */
    on_notification = NULL;
    signal_info.signal_received = 0;
    run_event_loop();
    assert_expired(0, 5);
}

static void
read__when_a_signal_is_raised__finishes_that_datagram(void **state)
{
    on_notification = raise_signal;
    multicast_expired(0, 5, true);
    multicast_expired(5, 1, true);
    assert_int_equal(run_event_loop(), 1);
    assert_expired(0, 5);
}

static void
read__when_interrupted__goes_on(void **state)
{
    multicast_expired(0, 2, true);
    multicast_error(EINTR);
    multicast_expired(2, 2, true);
    assert_int_equal(run_event_loop(), 1);
    assert_expired(0, 4);
    assert_int_equal(warned, 0);
}

static void
read__when_overrun__warns_once_and_goes_on(void **state)
{
    multicast_expired(0, 2, false);
    multicast_error(ENOBUFS);
    multicast_expired(2, 2, false);
    assert_int_equal(run_event_loop(), 1);
    assert_expired(0, 4);
    assert_int_equal(warned, 1);
}

static void
read__when_an_error_is_pending__warns_and_goes_on(void **state)
{
    multicast_error(ECONNRESET);
    multicast_expired(0, 2, false);
    assert_int_equal(run_event_loop(), 1);
    assert_expired(0, 2);
    assert_int_equal(warned, 1);
}

static void
read__when_every_read_fails__returns(void **state)
{
    for (int i = 0; i < 2 * READ_BOUND; ++i)
    {
        multicast_error(ECONNRESET);
    }
    dco_read(&tuntap.dco);
    assert_int_equal(queue_length(socket_of(polled_fd())->queue.head), READ_BOUND);
    assert_in_range(warned, 1, READ_BOUND);
}

static void
read__when_a_datagram_is_empty__goes_past_it(void **state)
{
    multicast_expired(0, 1, true);
    multicast_datagram(NULL, 0);
    multicast_datagram(NULL, 0);
    multicast_expired(1, 1, true);
    assert_int_equal(run_event_loop(), 1);
    assert_expired(0, 2);
}

static void
read__when_a_datagram_is_too_large__warns_and_goes_on(void **state)
{
    static uint8_t zeros[2 * BATCH_SIZE];

    multicast_datagram(zeros, sizeof(zeros));
    multicast_expired(0, 2, false);
    assert_int_equal(run_event_loop(), 1);
    assert_expired(0, 2);
    assert_int_equal(warned, 1);
}

static void
read__when_framing_is_broken__drops_that_datagram_only(void **state)
{
    static struct batch batch;

    del_peer(&batch, 0, OVPN_DEL_PEER_REASON_EXPIRED);
    struct nlmsghdr *nlh = (struct nlmsghdr *)(batch.data + batch.len);
    del_peer(&batch, 9, OVPN_DEL_PEER_REASON_EXPIRED);
    nlh->nlmsg_len = 4;         /* less than its own header */
    multicast(&batch);
    multicast_expired(1, 2, true);
    assert_int_equal(run_event_loop(), 1);
    assert_expired(0, 3);
}

/*
 * The sockets
 */

static void
buffer__when_the_group_is_joined__is_large(void **state)
{
    assert_in_range(socket_of(polled_fd())->rcvbuf_joined, 4 * 1024 * 1024, INT_MAX);
}

static void
buffer__when_the_limit_may_not_be_exceeded__is_as_large_as_it_may(void **state)
{
    const int usual = warned_opening;

    close_tun_dco(&tuntap, NULL);
    kernel.limited = true;
    open_device();
    /* that is worth a message */
    assert_int_equal(warned_opening, usual + 1);
    assert_int_equal(socket_of(polled_fd())->rcvbuf_joined, 4 * 1024 * 1024);
    multicast_expired(0, 2, false);
    run_event_loop();
    assert_expired(0, 2);
}

static int
request_device(void)
{
    ovpn_dco_init(&top);
    return open_tun_dco(&tuntap, NULL, "tun0");
}

/* the one to look for the module, that of requests, and that of notifications */
static void
socket__when_it_cannot_be_opened__is_fatal(void **state)
{
    close_tun_dco(&tuntap, NULL);
    for (int i = 0; i < 3; ++i)
    {
        kernel.socket_error = EMFILE;
        kernel.n_sockets = i;
        assert_true(is_fatal(request_device));
    }
    kernel.socket_error = 0;
    open_device();
}

static void
poll__when_the_device_is_not_open_yet__has_no_descriptor(void **state)
{
    close_tun_dco(&tuntap, NULL);
    assert_true(ovpn_dco_init(&top));
    assert_int_equal(polled_fd(), -1);
    assert_int_equal(open_tun_dco(&tuntap, NULL, "tun0"), 0);
    assert_int_not_equal(polled_fd(), -1);
}

static void
poll__when_only_a_reply_is_pending__does_not_wake(void **state)
{
    assert_non_null(request_socket());
    enqueue(&request_socket()->queue, EAGAIN, NULL, 0);
    assert_false(readable());

    multicast_expired(0, 2, true);
    assert_true(readable());
    run_event_loop();
    assert_expired(0, 2);
    assert_false(readable());
}

static void
poll__when_the_device_is_closed__has_no_descriptor(void **state)
{
    multicast_expired(0, 2, true);
    run_event_loop();
    assert_expired(0, 2);

    close_tun_dco(&tuntap, NULL);
    assert_int_equal(polled_fd(), -1);

    /* for teardown(), and as after a restart */
    open_device();
    multicast_expired(2, 2, true);
    run_event_loop();
    assert_expired(2, 2);
}

#define BATCH_CASES(n)                                                      \
    SERVER_CASE("batch__when_" #n "_in_one_datagram__are_all_processed",    \
                test_batch, BATCH_CASE(n, true)),                           \
    SERVER_CASE("batch__when_" #n "_in_a_datagram_each__are_all_processed", \
                test_batch, BATCH_CASE(n, false))

#define REQUEST_CASES(what)                                                 \
    SERVER_CASE("notification__when_ahead_of_" #what "_reply__is_kept",     \
                test_request, REQUEST_CASE(what, ahead, 0)),                \
    SERVER_CASE("notification__when_behind_" #what "_reply__is_kept",       \
                test_request, REQUEST_CASE(what, behind, 0)),               \
    SERVER_CASE("notification__when_ahead_of_" #what "_error__is_kept",     \
                test_request, REQUEST_CASE(what, ahead, -ENOENT))

#define ERROR_CASE(what)                                                    \
    SERVER_CASE(#what "__when_refused__tells_but_for_a_peer_asked_for",     \
                test_error,                                                 \
                (&(struct request){ #what, request_ ## what }))

#define BETWEEN_CASE(what)                                                  \
    SERVER_CASE("notification__when_between_" #what "_replies__is_kept",    \
                test_request, REQUEST_CASE(what, between, 0))

#define P2P_AHEAD_CASE(what)                                                \
    P2P_CASE("notification__when_ahead_of_" #what "_reply__is_kept",        \
             test_request, REQUEST_CASE(what, ahead, 0))

#define BAD_MESSAGE(name, ...)                                              \
    SERVER_CASE("bad_message__when_" name "__costs_no_other",               \
                test_bad_message, BAD_CASE(__VA_ARGS__))

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        BATCH_CASES(1),
        BATCH_CASES(2),
        BATCH_CASES(64),
        BATCH_CASES(1024),
        P2P_CASE("batch__when_1_in_one_datagram__is_processed",
                 test_batch, BATCH_CASE(1, true)),
        P2P_CASE("batch__when_2_in_one_datagram__are_all_processed",
                 test_batch, BATCH_CASE(2, true)),
        P2P_CASE("batch__when_64_in_a_datagram_each__are_all_processed",
                 test_batch, BATCH_CASE(64, false)),

        REQUEST_CASES(new_peer),
        REQUEST_CASES(set_peer),
        REQUEST_CASES(del_peer),
        REQUEST_CASES(new_key),
        REQUEST_CASES(swap_keys),
        REQUEST_CASES(del_key),
        REQUEST_CASES(get_peer),
        REQUEST_CASES(get_all_peers),
        ERROR_CASE(new_peer),
        ERROR_CASE(set_peer),
        ERROR_CASE(del_peer),
        ERROR_CASE(new_key),
        ERROR_CASE(swap_keys),
        ERROR_CASE(del_key),
        ERROR_CASE(get_peer),
        ERROR_CASE(get_all_peers),
        BETWEEN_CASE(get_peer),
        BETWEEN_CASE(get_all_peers),
        P2P_AHEAD_CASE(new_peer),
        P2P_AHEAD_CASE(get_peer),
        SERVER_TEST(notification__when_it_makes_requests__loses_no_other),

        BAD_MESSAGE("without_attributes", 0),
        BAD_MESSAGE("without_ifindex", .attrs = ALL_ATTRS & ~IFINDEX_ATTR),
        BAD_MESSAGE("ifindex_is_empty", .attrs = ALL_ATTRS, .empty = IFINDEX_ATTR),
        BAD_MESSAGE("ifindex_is_foreign", .attrs = ALL_ATTRS, .ifindex = IFINDEX + 1),
        BAD_MESSAGE("without_del_peer", .attrs = IFINDEX_ATTR),
        BAD_MESSAGE("del_peer_is_empty", .attrs = ALL_ATTRS, .empty = DEL_PEER_ATTR),
        BAD_MESSAGE("del_peer_is_too_long", .attrs = ALL_ATTRS, .nested_len = 200),
        BAD_MESSAGE("without_reason", .attrs = ALL_ATTRS & ~REASON_ATTR),
        BAD_MESSAGE("reason_is_empty", .attrs = ALL_ATTRS, .empty = REASON_ATTR),
        BAD_MESSAGE("without_peer_id", .attrs = ALL_ATTRS & ~PEER_ID_ATTR),
        BAD_MESSAGE("peer_id_is_empty", .attrs = ALL_ATTRS, .empty = PEER_ID_ATTR),
        BAD_MESSAGE("peer_id_is_over_24_bits", .attrs = ALL_ATTRS, .peer_id = MAX_PEER_ID + 1),
        BAD_MESSAGE("peer_id_is_minus_1", .attrs = ALL_ATTRS, .peer_id = 0xffffffff),
        BAD_MESSAGE("command_is_unknown", .attrs = ALL_ATTRS, .cmd = 200),
        BAD_MESSAGE("command_is_get_peer", .attrs = ALL_ATTRS, .cmd = OVPN_CMD_GET_PEER),
        BAD_MESSAGE("family_is_foreign", .attrs = ALL_ATTRS, .type = FAMILY_ID + 1),
        BAD_MESSAGE("type_is_noop", .attrs = ALL_ATTRS, .type = NLMSG_NOOP),
        BAD_MESSAGE("type_is_error", .attrs = ALL_ATTRS, .type = NLMSG_ERROR),
        BAD_MESSAGE("type_is_short_error", .type = NLMSG_ERROR),
        BAD_MESSAGE("type_is_done", .attrs = ALL_ATTRS, .type = NLMSG_DONE),
        BAD_MESSAGE("type_is_overrun", .attrs = ALL_ATTRS, .type = NLMSG_OVERRUN),
        BAD_MESSAGE("without_genl_header", .cut = GENL_HDRLEN + NLA_HDRLEN + 4),
        SERVER_CASE("notification__when_flagged_multipart__is_processed",
                    test_flags, FLAG_CASE(NLM_F_MULTI, 0)),
        SERVER_CASE("notification__when_flagged_interrupted_dump__is_processed",
                    test_flags, FLAG_CASE(0x10 /* NLM_F_DUMP_INTR */, 0)),
        SERVER_CASE("notification__when_asking_for_an_ack__is_processed",
                    test_flags, FLAG_CASE(NLM_F_ACK, 0)),
        SERVER_CASE("notification__when_numbered__is_processed",
                    test_flags, FLAG_CASE(0, 4711)),

        SERVER_TEST(peer_id__when_smallest_and_largest__is_handed_on),
        SERVER_TEST(reason__when_any__is_handed_on),
        P2P_CASE("reason__when_any__is_handed_on", reason__when_any__is_handed_on, NULL),
        SERVER_TEST(get_peer__when_the_peer_is_gone__makes_no_request),

        SERVER_TEST(read__when_nothing_is_pending__returns_without_a_word),
        SERVER_TEST(read__when_datagrams_are_pending__takes_all_in_one_pass),
        SERVER_TEST(read__when_a_storm_is_pending__returns_after_a_bounded_number),
        SERVER_TEST(read__when_the_second_changes__returns),
        SERVER_TEST(read__when_the_pass_began_long_ago__takes_all),
        SERVER_TEST(read__when_the_second_does_not_change__goes_on),
        SERVER_TEST(read__when_a_signal_is_raised__stops_after_that_datagram),
        SERVER_TEST(read__when_a_signal_is_raised__finishes_that_datagram),
        SERVER_TEST(read__when_interrupted__goes_on),
        SERVER_TEST(read__when_overrun__warns_once_and_goes_on),
        SERVER_TEST(read__when_an_error_is_pending__warns_and_goes_on),
        SERVER_TEST(read__when_every_read_fails__returns),
        SERVER_TEST(read__when_a_datagram_is_empty__goes_past_it),
        SERVER_TEST(read__when_a_datagram_is_too_large__warns_and_goes_on),
        SERVER_TEST(read__when_framing_is_broken__drops_that_datagram_only),

        SERVER_TEST(buffer__when_the_group_is_joined__is_large),
        SERVER_TEST(buffer__when_the_limit_may_not_be_exceeded__is_as_large_as_it_may),
        SERVER_TEST(socket__when_it_cannot_be_opened__is_fatal),
        SERVER_TEST(poll__when_the_device_is_not_open_yet__has_no_descriptor),
        SERVER_TEST(poll__when_only_a_reply_is_pending__does_not_wake),
        SERVER_TEST(poll__when_the_device_is_closed__has_no_descriptor),
    };

    /* the name of a case, or a pattern, to run no other */
    if (argc > 1)
    {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests_name("dco_notification", tests, NULL, NULL);
}

#else  /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) */

int
main(void)
{
    return 0;
}

#endif /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) */
