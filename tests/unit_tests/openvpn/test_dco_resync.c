/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Unit tests of dco_linux.c: when notifications were lost, the kernel is asked for
 * the peer of each client, and those whose peer is gone are processed.
 */

#include "mock_main.h"

#if defined(ENABLE_DCO) && defined(TARGET_LINUX)

#include "mock_openvpn.h"
#include "otime.h"

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
            || p->reason != OVPN_DEL_PEER_REASON_EXPIRED)
        {
            fail_msg("notification %d: peer-id %d, reason %d", i + 1, p->peer_id, p->reason);
        }
        lost[p->peer_id] = true;
    }
}

static void
resync__when_notifications_are_lost__finds_the_peers_gone(void **state)
{
    multicast_error(ENOBUFS);
    remove_peers(100, 100);
    run_event_loop();
    assert_lost(100, 100);
    assert_int_equal(kernel.n_requests, MAX_CLIENTS);
    assert_int_equal(warned, 1);

    /* and is done with it */
    multicast_expired(500, 1, true);
    run_event_loop();
    assert_int_equal(kernel.n_requests, MAX_CLIENTS + 1);
}

/* as after an outage that takes all of them */
static void
resync__when_all_are_lost__finds_all(void **state)
{
    multicast_error(ENOBUFS);
    remove_peers(0, MAX_CLIENTS);
    run_event_loop();
    assert_lost(0, MAX_CLIENTS);
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
    assert_expired(10, 200);
    /* but those that tell whether they are late */
    assert_int_equal(kernel.n_requests, 200);
    assert_int_equal(kernel.n_noops, 0);
}

static void
assert_drained(int cmd)
{
    if (kernel.n_get_peer[2])
    {
        assert_false(readable());
    }
}

/* until then the kernel drops more, without another error */
static void
resync__when_notifications_are_queued__reads_them_first(void **state)
{
    multicast_error(ENOBUFS);
    multicast_expired(500, 200, false);
    kernel.on_request = assert_drained;
    run_event_loop();
    assert_expired(500, 200);
    assert_int_equal(kernel.n_requests, MAX_CLIENTS);
}

static void
spend_on_request(int cmd)
{
    spend(1);
}

/* what the rest of the loop has had */
static void
resync__when_there_are_many__takes_as_long_as_the_loop(void **state)
{
    multicast_error(ENOBUFS);
    dco_read(&tuntap.dco);
    assert_int_equal(kernel.n_requests, 1);

    kernel.on_request = spend_on_request;
    for (int i = 1; i < 20; ++i)
    {
        const int before = kernel.n_requests;
        spend(i);
        assert_true(readable());
        dco_read(&tuntap.dco);
        assert_int_equal(kernel.n_requests - before, i);
    }
    run_event_loop();
    assert_int_equal(kernel.n_requests, MAX_CLIENTS);
}

/* no event tells about the rest: it takes an ACK, one at a time */
static void
resync__when_nothing_is_queued__is_woken(void **state)
{
    multicast_error(ENOBUFS);
    for (int i = 1; i < MAX_CLIENTS; ++i)
    {
        assert_true(readable());
        dco_read(&tuntap.dco);
        assert_int_equal(kernel.n_requests, i);
        assert_int_equal(kernel.n_noops, i);
        assert_int_equal(queue_length(socket_of(polled_fd())->queue.head), 1);
    }
    dco_read(&tuntap.dco);
    assert_false(readable());
    assert_int_equal(kernel.n_requests, MAX_CLIENTS);
    assert_int_equal(kernel.n_noops, MAX_CLIENTS - 1);
    assert_int_equal(warned, 1);
}

static void
resync__when_something_is_queued__needs_no_ack(void **state)
{
    multicast_error(ENOBUFS);
    multicast_expired(0, 10, false);
    for (int i = 0; i < 10; ++i)
    {
        dco_read(&tuntap.dco);
        assert_int_equal(kernel.n_noops, 0);
    }
    run_event_loop();
    assert_expired(0, 10);
}

/* then nothing would call it again */
static void
resync__when_it_cannot_be_woken__goes_on_at_once(void **state)
{
    remove_peers(0, MAX_CLIENTS);
    multicast_error(ENOBUFS);
    kernel.noop_error = ENOBUFS;
    dco_read(&tuntap.dco);
    assert_false(readable());
    assert_lost(0, MAX_CLIENTS);
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
    multicast_error(ENOBUFS);
    kernel.on_request = overrun_halfway;
    run_event_loop();
    assert_int_equal(n_processed, 2);
    assert_int_equal(processed[0].peer_id + processed[1].peer_id, MAX_CLIENTS - 1);
}

static void
resync__when_an_instance_has_no_peer__does_not_ask_for_it(void **state)
{
    connect_clients(4);
    instance_tls[3].dco_peer_id = -1;
    remove_peer(3);
    remove_peer(4);
    multicast_error(ENOBUFS);
    run_event_loop();
    assert_int_equal(kernel.n_requests, 3);
    assert_int_equal(n_processed, 0);
}

static void
resync__when_the_kernel_fails_to_tell__keeps_the_instance(void **state)
{
    const int error[] = { -EPERM, -ENOMEM, -ENOBUFS, -ENODEV };

    for (size_t i = 0; i < SIZE(error); ++i)
    {
        kernel.n_requests = 0;
        kernel.request_error = error[i];
        remove_peer(1);
        multicast_error(ENOBUFS);
        run_event_loop();
        assert_int_equal(kernel.n_requests, MAX_CLIENTS);
        assert_int_equal(n_processed, 0);
    }
}

static bool
lose_reply(const struct nlmsghdr *reply)
{
    return kernel.n_requests;
}

static void
resync__when_replies_are_lost__keeps_the_instance(void **state)
{
    connect_clients(10);
    remove_peer(1);
    kernel.on_reply = lose_reply;
    multicast_error(ENOBUFS);
    kernel.fruitless_reads = -100;
    dco_read(&tuntap.dco);
    assert_int_equal(n_processed, 0);
}

static void
resync__when_the_socket_fails_again_and_again__does_not_spin(void **state)
{
    for (int i = 0; i < 100; ++i)
    {
        multicast_error(i % 2 ? ENOBUFS : ECONNRESET);
    }
    for (int i = 1; i <= 100; ++i)
    {
        assert_int_equal(kernel.n_requests, 0);
        dco_read(&tuntap.dco);
        assert_int_equal(warned, i);
    }
    run_event_loop();
    assert_int_equal(kernel.n_requests, MAX_CLIENTS);
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
    remove_peers(0, MAX_CLIENTS);
    on_notification = close_all;
    multicast_error(ENOBUFS);
    run_event_loop();
    assert_int_equal(n_processed, 1);
    assert_int_equal(kernel.n_requests, 1);
}

/* SIGUSR2 ends no event loop */
static void
resync__when_a_signal_is_raised__stops_and_goes_on_after_it(void **state)
{
    remove_peers(0, MAX_CLIENTS);
    on_notification = raise_signal;
    multicast_error(ENOBUFS);
    run_event_loop();
    assert_int_equal(n_processed, 3);
    assert_true(readable());

    on_notification = NULL;
    signal_info.signal_received = 0;
    run_event_loop();
    assert_lost(0, MAX_CLIENTS);
}

static void
p2p_resync__when_the_peer_is_gone__is_processed(void **state)
{
    remove_peer(1);
    multicast_error(ENOBUFS);
    run_event_loop();
    assert_lost(1, 1);
    assert_int_equal(kernel.n_requests, 1);
}

/* trigger_ping_timeout_signal() asserts that there is one */
static void
p2p_resync__when_there_is_no_ping__is_none(void **state)
{
    top.options.ping_rec_timeout_action = PING_UNDEF;
    remove_peer(1);
    multicast_error(ENOBUFS);
    run_event_loop();
    assert_int_equal(n_processed, 0);
    assert_int_equal(kernel.n_requests, 0);
}

/* as while a client connects */
static void
p2p_resync__when_there_is_no_peer_yet__is_none(void **state)
{
    tls_multi.dco_peer_id = -1;
    multicast_error(ENOBUFS);
    run_event_loop();
    assert_int_equal(n_processed, 0);
    assert_int_equal(kernel.n_requests, 0);
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

int
run_cases(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(resync__when_notifications_are_lost__finds_the_peers_gone),
        SERVER_TEST(resync__when_all_are_lost__finds_all),
        SERVER_TEST(resync__when_another_error_loses_some__finds_them_too),
        SERVER_TEST(resync__when_nothing_was_lost__makes_no_request),
        SERVER_TEST(resync__when_notifications_are_queued__reads_them_first),
        SERVER_TEST(resync__when_there_are_many__takes_as_long_as_the_loop),
        SERVER_TEST(resync__when_nothing_is_queued__is_woken),
        SERVER_TEST(resync__when_something_is_queued__needs_no_ack),
        SERVER_TEST(resync__when_it_cannot_be_woken__goes_on_at_once),
        SERVER_TEST(resync__when_more_is_lost_meanwhile__starts_again),
        SERVER_TEST(resync__when_an_instance_has_no_peer__does_not_ask_for_it),
        SERVER_TEST(resync__when_the_kernel_fails_to_tell__keeps_the_instance),
        SERVER_TEST(resync__when_replies_are_lost__keeps_the_instance),
        SERVER_TEST(resync__when_the_socket_fails_again_and_again__does_not_spin),
        SERVER_TEST(resync__when_instances_close_meanwhile__asks_for_the_rest_only),
        SERVER_TEST(resync__when_a_signal_is_raised__stops_and_goes_on_after_it),
        P2P_TEST(p2p_resync__when_the_peer_is_gone__is_processed),
        P2P_TEST(p2p_resync__when_there_is_no_ping__is_none),
        P2P_TEST(p2p_resync__when_there_is_no_peer_yet__is_none),
        P2P_TEST(p2p_resync__when_the_peer_lives__is_kept),
    };

    return cmocka_run_group_tests_name("dco_resync", tests, NULL, NULL);
}

#endif /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) */
