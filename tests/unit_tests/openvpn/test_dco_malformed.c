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
 * Unit tests of dco_linux.c: when notifications were lost, dco_resync() asks the
 * kernel for each peer that there should be.
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

static int
setup_resync(void **state)
{
    setup_server(state);
    before_wait = dco_resync;
    return 0;
}

static int
setup_p2p_resync(void **state)
{
    setup_p2p(state);
    before_wait = dco_resync;
    return 0;
}

static void
connect_clients(void)
{
    for (int i = 0; i < MAX_CLIENTS; ++i)
    {
        connect_client(i);
    }
}

static void
remove_peers(int first, int n)
{
    for (int i = 0; i < n; ++i)
    {
        remove_peer(first + i);
    }
}

/** Check that peers \a first to \a first + \a n - 1, and no others, were found
 * to be gone, in whatever order. */
static void
assert_lost(int first, int n)
{
    bool lost[MAX_CLIENTS] = { false };

    assert_int_equal(n_processed, n);
    for (int i = 0; i < n; ++i)
    {
        const struct notification *p = &processed[i];

        if (p->peer_id < first || p->peer_id >= first + n || lost[p->peer_id]
            || p->reason != DCO_DEL_PEER_REASON_LOST)
        {
            fail_msg("notification %d: peer-id %d, reason %d", i + 1, p->peer_id, p->reason);
        }
        lost[p->peer_id] = true;
    }
}

static void
resync__when_notifications_are_lost__finds_the_peers_gone(void **state)
{
    connect_clients();
    multicast_error(ENOBUFS);
    remove_peers(100, 100);
    run_event_loop();
    assert_lost(100, 100);
    assert_int_equal(kernel.n_requests, MAX_CLIENTS);

    /* and is done with it */
    run_event_loop();
    assert_int_equal(kernel.n_requests, MAX_CLIENTS);
}

static void
resync__when_another_error_loses_some__finds_them_too(void **state)
{
    remove_peer(2);
    multicast_error(ECONNRESET);
    run_event_loop();
    assert_lost(2, 1);
}

static void
resync__when_nothing_was_lost__makes_no_request(void **state)
{
    remove_peer(2);
    multicast_expired(10, 200, false);
    run_event_loop();
    multicast_error(EINTR);
    run_event_loop();
    assert_false(dco_resync(&top));
    assert_expired(10, 200);
    assert_int_equal(kernel.n_requests, 0);
}

static void
resync__when_there_are_many__makes_a_bounded_number_of_requests_a_pass(void **state)
{
    connect_clients();
    multicast_error(ENOBUFS);
    for (int n = 0, last = 0; readable() || dco_resync(&top); ++n)
    {
        if (readable())
        {
            dco_read(&tuntap.dco);
        }
        assert_in_range(n, 0, 2 * MAX_CLIENTS / READ_BOUND);
        assert_in_range(kernel.n_requests - last, 1, READ_BOUND);
        last = kernel.n_requests;
    }
    assert_int_equal(kernel.n_requests, MAX_CLIENTS);
}

static void
assert_drained(int cmd)
{
    assert_false(readable());
}

/* what a pass has read counts, too */
static void
resync__when_some_are_read_first__makes_fewer_requests(void **state)
{
    connect_clients();
    multicast_error(ENOBUFS);
    multicast_expired(2000, READ_BOUND / 2, false);
    dco_read(&tuntap.dco);
    assert_int_equal(n_processed, READ_BOUND / 2);
    assert_in_range(kernel.n_requests, 1, READ_BOUND / 2);
}

static void
resync__when_notifications_are_queued__reads_them_first(void **state)
{
    multicast_error(ENOBUFS);
    multicast_expired(500, 200, false);
    kernel.on_request = assert_drained;
    run_event_loop();
    assert_expired(500, 200);
    assert_int_equal(kernel.n_requests, 2);
}

/* the bound is reached with the last datagram: no event tells that there is
 * something left to do */
static void
resync__when_the_queue_ends_with_the_bound__is_not_forgotten(void **state)
{
    remove_peer(2);
    multicast_error(ENOBUFS);
    multicast_expired(500, READ_BOUND - 1, false);
    dco_read(&tuntap.dco);
    assert_int_equal(n_processed, READ_BOUND - 1);
    assert_false(readable());
    run_event_loop();
    assert_int_equal(n_processed, READ_BOUND);
    assert_int_equal(processed[READ_BOUND - 1].peer_id, 2);
}

static void
overrun_halfway(int cmd)
{
    if (kernel.n_requests == MAX_CLIENTS / 2)
    {
        /* one that was asked for already, one that wasn't */
        remove_peer(MAX_CLIENTS - 1);
        remove_peer(0);
        multicast_error(ENOBUFS);
    }
}

static void
resync__when_more_is_lost_meanwhile__starts_again(void **state)
{
    connect_clients();
    multicast_error(ENOBUFS);
    kernel.on_request = overrun_halfway;
    run_event_loop();
    assert_int_equal(n_processed, 2);
    assert_int_equal(processed[0].peer_id + processed[1].peer_id, MAX_CLIENTS - 1);
}

static void
resync__when_an_instance_has_no_peer__does_not_ask_for_it(void **state)
{
    connect_client(3);
    connect_client(4);
    instance_tls[3].dco_peer_id = -1;
    instance[4].halt = true;
    remove_peer(3);
    remove_peer(4);
    multicast_error(ENOBUFS);
    run_event_loop();
    assert_int_equal(kernel.n_requests, 2);
    assert_int_equal(n_processed, 0);
}

static void
resync__when_the_kernel_fails_to_tell__keeps_the_instance(void **state)
{
    kernel.request_error = -EPERM;
    remove_peer(1);
    multicast_error(ENOBUFS);
    run_event_loop();
    assert_int_equal(kernel.n_requests, 2);
    assert_int_equal(n_processed, 0);
}

/* each request would take as long */
static void
resync__when_the_kernel_does_not_answer__asks_once_a_pass(void **state)
{
    connect_clients();
    remove_peers(0, MAX_CLIENTS);
    kernel.request_error = -ETIMEDOUT;
    multicast_error(ENOBUFS);
    dco_read(&tuntap.dco);
    for (int i = 1; i < 5; ++i)
    {
        assert_int_equal(kernel.n_requests, i);
        assert_true(dco_resync(&top));
    }
    assert_int_equal(n_processed, 0);

    /* and goes on with that one when it does */
    kernel.request_error = 0;
    run_event_loop();
    assert_lost(0, MAX_CLIENTS);
}

static void
spend_a_second_on_a_request(int cmd)
{
    spend_a_second();
}

static void
resync__when_the_second_changes__goes_on_later(void **state)
{
    remove_peer(2);
    connect_client(3);
    kernel.on_request = spend_a_second_on_a_request;
    multicast_error(ENOBUFS);
    dco_read(&tuntap.dco);
    for (int i = 1; i <= 3; ++i)
    {
        assert_int_equal(kernel.n_requests, i);
        assert_int_equal(now, wall_clock.tv_sec);
        assert_int_equal(dco_resync(&top), i < 3);
    }
    assert_lost(2, 1);
}

/* no request then, as each may take long, too */
static void
resync__when_the_second_changes_while_reading__asks_later(void **state)
{
    connect_clients();
    on_notification = spend_a_second;
    multicast_error(ENOBUFS);
    multicast_expired(2000, 1, true);
    dco_read(&tuntap.dco);
    assert_int_equal(n_processed, 1);
    assert_int_equal(kernel.n_requests, 0);

    /* and when it has begun */
    assert_true(dco_resync(&top));
    const int n_requests = kernel.n_requests;
    assert_in_range(n_requests, 1, READ_BOUND);
    multicast_expired(2000, 1, true);
    assert_true(dco_resync(&top));
    assert_int_equal(n_processed, 2);
    assert_int_equal(kernel.n_requests, n_requests);

    run_event_loop();
    assert_int_equal(kernel.n_requests, MAX_CLIENTS);
}

static void
resync__when_the_socket_fails_again_and_again__warns_once(void **state)
{
    for (int i = 0; i < 3 * READ_BOUND; ++i)
    {
        multicast_error(i % 2 ? ENOBUFS : ECONNRESET);
    }
    multicast_expired(500, 1, true);
    run_event_loop();
    assert_int_equal(warned, 1);
    assert_int_equal(kernel.n_requests, 2);

    /* that is past: the next time it is news */
    multicast_error(ENOBUFS);
    run_event_loop();
    assert_int_equal(warned, 2);
    assert_int_equal(kernel.n_requests, 4);
}

static void
close_all(void)
{
    CLEAR(instances);
    CLEAR(instance);
    CLEAR(instance_tls);
}

static void
resync__when_instances_close_meanwhile__asks_for_the_rest_only(void **state)
{
    connect_clients();
    remove_peers(0, MAX_CLIENTS);
    on_notification = close_all;
    multicast_error(ENOBUFS);
    run_event_loop();
    assert_int_equal(n_processed, 1);
    assert_int_equal(kernel.n_requests, 1);
}

static void
resync__when_a_signal_is_raised__stops(void **state)
{
    connect_clients();
    remove_peers(0, MAX_CLIENTS);
    on_notification = raise_signal;
    multicast_error(ENOBUFS);
    run_event_loop();
    assert_int_equal(n_processed, 3);
}

static void
p2p_resync__when_the_peer_is_gone__is_processed(void **state)
{
    remove_peer(1);
    multicast_error(ENOBUFS);
    run_event_loop();
    assert_lost(1, 1);

    /* and not again: process_incoming_dco() has forgotten it */
    tls_multi.dco_peer_id = -1;
    multicast_error(ENOBUFS);
    run_event_loop();
    assert_int_equal(n_processed, 1);
    assert_int_equal(kernel.n_requests, 1);
}

static void
p2p_resync__when_the_peer_lives__is_kept(void **state)
{
    multicast_error(ENOBUFS);
    run_event_loop();
    assert_int_equal(kernel.n_requests, 1);
    assert_int_equal(n_processed, 0);
    assert_int_equal(tls_multi.dco_peer_id, 1);
}

static void
resync__when_there_is_no_device__does_nothing(void **state)
{
    top.c1.tuntap = NULL;
    assert_false(dco_resync(&top));
    top.c1.tuntap = &tuntap;
}

#define RESYNC_TEST(f) cmocka_unit_test_setup_teardown(f, setup_resync, teardown)
#define P2P_RESYNC_TEST(f) cmocka_unit_test_setup_teardown(f, setup_p2p_resync, teardown)

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        RESYNC_TEST(resync__when_notifications_are_lost__finds_the_peers_gone),
        RESYNC_TEST(resync__when_another_error_loses_some__finds_them_too),
        RESYNC_TEST(resync__when_nothing_was_lost__makes_no_request),
        RESYNC_TEST(resync__when_there_are_many__makes_a_bounded_number_of_requests_a_pass),
        RESYNC_TEST(resync__when_some_are_read_first__makes_fewer_requests),
        RESYNC_TEST(resync__when_notifications_are_queued__reads_them_first),
        RESYNC_TEST(resync__when_the_queue_ends_with_the_bound__is_not_forgotten),
        RESYNC_TEST(resync__when_more_is_lost_meanwhile__starts_again),
        RESYNC_TEST(resync__when_an_instance_has_no_peer__does_not_ask_for_it),
        RESYNC_TEST(resync__when_the_kernel_fails_to_tell__keeps_the_instance),
        RESYNC_TEST(resync__when_the_kernel_does_not_answer__asks_once_a_pass),
        RESYNC_TEST(resync__when_the_second_changes__goes_on_later),
        RESYNC_TEST(resync__when_the_second_changes_while_reading__asks_later),
        RESYNC_TEST(resync__when_the_socket_fails_again_and_again__warns_once),
        RESYNC_TEST(resync__when_instances_close_meanwhile__asks_for_the_rest_only),
        RESYNC_TEST(resync__when_a_signal_is_raised__stops),
        RESYNC_TEST(resync__when_there_is_no_device__does_nothing),
        P2P_RESYNC_TEST(p2p_resync__when_the_peer_is_gone__is_processed),
        P2P_RESYNC_TEST(p2p_resync__when_the_peer_lives__is_kept),
    };

    /* the name of a case, or a pattern, to run no other */
    if (argc > 1)
    {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests_name("dco_resync", tests, NULL, NULL);
}

#else  /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) */

int
main(void)
{
    return 0;
}

#endif /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) */
