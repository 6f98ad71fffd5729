/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Unit tests of what becomes of a client's instance, or of a connection, when the
 * kernel notifies of its peer, or the server closes it.
 *
 * dco_linux.c, multi.c, forward.c and sig.c are the real ones.
 */

#include "mock_main.h"

#if defined(ENABLE_DCO) && defined(TARGET_LINUX) && defined(ENABLE_PLUGIN)

#include "mock_instance.h"

#include "forward.h"
#include "ping.h"

/** Send a DEL_PEER, and read it; \a gone is whether the kernel has no such peer,
 * or it has a new one by now. */
static void
notify(int peer_id, int reason, bool gone)
{
    multicast_del_peer(peer_id, reason);
    kernel.gone[peer_id] = gone;
    run_event_loop();
    assert_false(readable());
}

/** Check that instances \a first to \a first + \a n - 1 were closed, one by one,
 * that all others are as they were, and that nobody asked for all peers. */
static void
assert_closed(int first, int n)
{
    assert_only_closed(first, n);
    for (int i = 0; i < N_CLIENTS; ++i)
    {
        assert_ptr_equal(instances[i], instance[i].halt ? NULL : &instance[i]);
    }
    for (int i = 0; i < n; ++i)
    {
        assert_ptr_equal(closed[i].mi, &instance[first + i]);
    }
    assert_int_equal(kernel.n_dumps, 0);
}

/** Check what the plugin was told about the one that was closed at last. */
static void
assert_told(long long read, long long written)
{
    assert_in_range(n_closed, 1, SIZE(closed));
    assert_int_equal(closed[n_closed - 1].received, LINK_READ + read);
    assert_int_equal(closed[n_closed - 1].sent, LINK_WRITTEN + written);
    assert_int_equal(n_told, n_closed);
}

/*
 * Notifications
 */

static void
notification__when_late__closes_nobody(void **state)
{
    int n_requests = 0;

    for (int reason = 0; reason < __OVPN_DEL_PEER_REASON_AFTER_LAST; ++reason)
    {
        notify(1, reason, false);
        assert_closed(0, 0);
        assert_int_equal(instance_tls[1].dco_peer_id, 1);
        assert_int_equal(kernel.n_get_peer[1], ++n_requests);
        assert_int_equal(kernel.n_requests, n_requests);
        assert_int_equal(instance[1].context.c2.dco_read_bytes, 1001);
    }
    assert_int_equal(warned, 0);

    /* and when that one is gone, too */
    notify(1, OVPN_DEL_PEER_REASON_EXPIRED, true);
    assert_closed(1, 1);
}

/* whom statistics were for may be closed by now */
static void
notification__when_late__is_no_reply_to_an_earlier_request(void **state)
{
    static struct context gone;
    static struct tls_multi gone_tls;

    gone.c1.tuntap = &tuntap;
    gone.c2.tls_multi = &gone_tls;
    gone_tls.dco_peer_id = 1;
    dco_get_peer_stats(&gone);
    gone.c2.dco_read_bytes = POLLED_READ;

    notify(1, OVPN_DEL_PEER_REASON_EXPIRED, false);
    assert_closed(0, 0);
    assert_int_equal(gone.c2.dco_read_bytes, POLLED_READ);
}

static void
notification__when_its_peer_is_gone__closes_that_instance(void **state)
{
    const int reason[] = {
        OVPN_DEL_PEER_REASON_EXPIRED,
        OVPN_DEL_PEER_REASON_TRANSPORT_ERROR,
        OVPN_DEL_PEER_REASON_TRANSPORT_DISCONNECT,
        __OVPN_DEL_PEER_REASON_AFTER_LAST,
    };
    const char *const text[] = {
        "ovpn-dco: ping expired",
        "ovpn-dco: transport error",
        "ovpn-dco: transport disconnected",
        "ovpn-dco: unknown reason",
    };

    for (int i = 0; i < (int)SIZE(reason); ++i)
    {
        notify(i, reason[i], true);
        assert_closed(0, i + 1);
        assert_string_equal(instance_signal[i].signal_text, text[i]);
        /* there is no peer to delete */
        assert_int_equal(instance_tls[i].dco_peer_id, -1);
        assert_int_equal(kernel.n_get_peer[i], 1);
        assert_int_equal(kernel.n_requests, i + 1);
    }
}

/* nor is that there is no such peer worth a message */
static void
notification__when_the_interface_is_torn_down__closes_that_instance(void **state)
{
    kernel.request_error = -ENODEV;
    notify(1, OVPN_DEL_PEER_REASON_TEARDOWN, true);
    assert_closed(1, 1);
    assert_int_equal(instance_tls[1].dco_peer_id, -1);
    assert_int_equal(warned, 0);
}

static void
notification__when_many_are_gone__closes_all(void **state)
{
    multicast_expired(0, N_CLIENTS - 1, true);
    run_event_loop();
    assert_closed(0, N_CLIENTS - 1);
    assert_int_equal(kernel.n_requests, N_CLIENTS - 1);
}

/* not known to be late */
static void
notification__when_the_kernel_fails_to_tell__closes_that_instance(void **state)
{
    const int error[] = { -EPERM, -ENOMEM, -ENOBUFS, -ENODEV, -EBUSY };

    for (int i = 0; i < (int)SIZE(error); ++i)
    {
        kernel.request_error = error[i];
        notify(i, OVPN_DEL_PEER_REASON_EXPIRED, false);
        assert_closed(0, i + 1);
        assert_int_equal(kernel.n_requests, i + 1);
    }
    kernel.request_error = 0;
    kernel.send_error = ENOBUFS;
    notify(SIZE(error), OVPN_DEL_PEER_REASON_EXPIRED, false);
    assert_closed(0, SIZE(error) + 1);
    assert_int_equal(warned, 0);
}

static void
notification__when_userspace_asked_for_it__closes_nobody(void **state)
{
    notify(1, OVPN_DEL_PEER_REASON_USERSPACE, true);
    notify(2, OVPN_DEL_PEER_REASON_USERSPACE, false);
    assert_closed(0, 0);
}

static void
notification__when_the_instance_has_no_peer__closes_nobody(void **state)
{
    /* a client that is being set up */
    instance_tls[1].dco_peer_id = -1;
    notify(1, OVPN_DEL_PEER_REASON_EXPIRED, true);
    assert_closed(0, 0);
    assert_int_equal(kernel.n_requests, 0);
}

static void
notification__when_it_comes_twice__closes_once(void **state)
{
    multicast_expired(1, 1, true);
    multicast_expired(1, 1, true);
    run_event_loop();
    assert_closed(1, 1);
    assert_int_equal(kernel.n_requests, 1);
}

static void
notification__when_the_peer_is_unknown__closes_nobody(void **state)
{
    multi_context.max_clients = N_CLIENTS - 1;
    multicast_del_peer(N_CLIENTS - 1, OVPN_DEL_PEER_REASON_EXPIRED);
    multicast_del_peer(N_CLIENTS, OVPN_DEL_PEER_REASON_EXPIRED);
    multicast_del_peer(MAX_PEER_ID, OVPN_DEL_PEER_REASON_EXPIRED);
    run_event_loop();
    assert_closed(0, 0);
    assert_int_equal(kernel.n_requests, 0);
}

/*
 * Statistics
 */

/** The server closes a client by itself. */
static void
close_client(int peer_id)
{
    instance_signal[peer_id].signal_received = SIGTERM;
    multi_close_instance_on_signal(&multi_context, &instance[peer_id]);
}

static void
statistics__when_the_peer_lives__are_asked_for(void **state)
{
    close_client(7);
    assert_closed(7, 1);
    assert_told(1000 + 7, 2000 + 7);
    assert_int_equal(kernel.n_get_peer[7], 1);
    assert_int_equal(kernel.n_requests, 1);
    /* that is for close_context() to delete */
    assert_int_equal(instance_tls[7].dco_peer_id, 7);
}

static void
statistics__when_the_peer_expired__are_those_last_polled(void **state)
{
    notify(7, OVPN_DEL_PEER_REASON_EXPIRED, true);
    assert_closed(7, 1);
    assert_told(POLLED_READ, POLLED_WRITTEN);
    assert_int_equal(kernel.n_requests, 1);
}

/* the notification is still queued when the server closes the client */
static void
statistics__when_the_peer_is_gone__are_those_last_polled(void **state)
{
    multicast_expired(7, 1, true);
    close_client(7);
    assert_told(POLLED_READ, POLLED_WRITTEN);
    run_event_loop();
    assert_closed(7, 1);
    assert_int_equal(kernel.n_requests, 1);
}

static void
statistics__when_there_never_was_a_peer__are_not_asked_for(void **state)
{
    instance_tls[7].dco_peer_id = -1;
    close_client(7);
    assert_closed(7, 1);
    assert_told(POLLED_READ, POLLED_WRITTEN);
    assert_int_equal(kernel.n_requests, 0);
}

static void
statistics__when_not_yet_connected__are_not_asked_for(void **state)
{
    instance_tls[7].multi_state = CAS_NOT_CONNECTED;
    close_client(7);
    assert_closed(7, 1);
    assert_int_equal(kernel.n_requests, 0);
}

static void
statistics__when_all_are_closed__take_a_request_each(void **state)
{
    for (int i = 0; i < N_CLIENTS; ++i)
    {
        close_client(i);
        assert_told(1000 + i, 2000 + i);
        assert_int_equal(kernel.n_get_peer[i], 1);
        assert_int_equal(kernel.n_requests, i + 1);
    }
    assert_closed(0, N_CLIENTS);
}

/* as multi_uninit() closes them: m->instances[] isn't cleared, and nothing may
 * look up there an instance that has been freed */
static void
statistics__when_the_server_exits__are_those_of_each_alone(void **state)
{
    for (int i = 0; i < N_CLIENTS; ++i)
    {
        multi_close_instance(&multi_context, &instance[i], true);
        assert_int_equal(n_told, i + 1);
        assert_int_equal(closed[i].received, LINK_READ + 1000 + i);
        assert_int_equal(kernel.n_get_peer[i], 1);
        assert_int_equal(kernel.n_requests, i + 1);
        assert_int_equal(kernel.n_dumps, 0);
    }
}

/*
 * Client and P2P mode
 */

/** One turn of the event loop, with a notification. */
static void
read_notification(int peer_id, int reason)
{
    multicast_del_peer(peer_id, reason);
    top.c2.event_set_status = DCO_READ;
    process_io(&top);
    assert_false(readable());
}

static void
p2p_notification__when_its_peer_expired__restarts(void **state)
{
    read_notification(1, OVPN_DEL_PEER_REASON_EXPIRED);
    assert_int_equal(signal_info.signal_received, SIGUSR1);
    assert_string_equal(signal_info.signal_text, "ping-restart");
}

static void
p2p_notification__when_its_peer_expired__exits_if_told_to(void **state)
{
    top.options.ping_rec_timeout_action = PING_EXIT;
    read_notification(1, OVPN_DEL_PEER_REASON_EXPIRED);
    assert_int_equal(signal_info.signal_received, SIGTERM);
    assert_string_equal(signal_info.signal_text, "ping-exit");
}

static void
p2p_notification__when_for_another_reason__is_ignored(void **state)
{
    for (int i = 0; i < __OVPN_DEL_PEER_REASON_AFTER_LAST; ++i)
    {
        if (i != OVPN_DEL_PEER_REASON_EXPIRED)
        {
            read_notification(1, i);
            assert_int_equal(signal_info.signal_received, 0);
            tls_multi.dco_peer_id = 1;      /* upstream's own fix forgets it */
        }
    }
}

static void
p2p_notification__when_of_another_peer__is_ignored(void **state)
{
    read_notification(0, OVPN_DEL_PEER_REASON_EXPIRED);
    read_notification(2, OVPN_DEL_PEER_REASON_EXPIRED);
    assert_int_equal(signal_info.signal_received, 0);
    assert_int_equal(tls_multi.dco_peer_id, 1);
}

/* a new peer with the same id has taken the place of the one that it is about */
static void
p2p_notification__when_late__is_ignored(void **state)
{
    for (int i = 0; i < __OVPN_DEL_PEER_REASON_AFTER_LAST; ++i)
    {
        multicast_del_peer(1, i);
        kernel.gone[1] = false;
        top.c2.event_set_status = DCO_READ;
        process_io(&top);
        assert_int_equal(signal_info.signal_received, 0);
        assert_int_equal(tls_multi.dco_peer_id, 1);
    }
}

/* what was read last must not be processed again */
static void
p2p_notification__when_of_another_interface__is_ignored(void **state)
{
    static struct batch batch;

    read_notification(1, OVPN_DEL_PEER_REASON_EXPIRED);
    signal_info.signal_received = 0;
    tls_multi.dco_peer_id = 1;
    add_bad_message(&batch, BAD_MESSAGE(.attrs = ALL_ATTRS, .ifindex = IFINDEX + 1));
    multicast(&batch);
    top.c2.event_set_status = DCO_READ;
    process_io(&top);
    assert_int_equal(signal_info.signal_received, 0);
}

static void
p2p_notification__when_a_signal_is_pending__is_left(void **state)
{
    multicast_expired(1, 1, true);
    signal_info.signal_received = SIGHUP;
    top.c2.event_set_status = DCO_READ;
    process_io(&top);
    assert_true(readable());
    assert_int_equal(signal_info.signal_received, SIGHUP);
    assert_int_equal(tls_multi.dco_peer_id, 1);
}

#define INSTANCE_TEST(f) cmocka_unit_test_setup_teardown(f, setup_instances, teardown_instances)

int
run_cases(void)
{
    const struct CMUnitTest tests[] = {
        INSTANCE_TEST(notification__when_late__closes_nobody),
        INSTANCE_TEST(notification__when_late__is_no_reply_to_an_earlier_request),
        INSTANCE_TEST(notification__when_its_peer_is_gone__closes_that_instance),
        INSTANCE_TEST(notification__when_the_interface_is_torn_down__closes_that_instance),
        INSTANCE_TEST(notification__when_many_are_gone__closes_all),
        INSTANCE_TEST(notification__when_the_kernel_fails_to_tell__closes_that_instance),
        INSTANCE_TEST(notification__when_userspace_asked_for_it__closes_nobody),
        INSTANCE_TEST(notification__when_the_instance_has_no_peer__closes_nobody),
        INSTANCE_TEST(notification__when_it_comes_twice__closes_once),
        INSTANCE_TEST(notification__when_the_peer_is_unknown__closes_nobody),

        INSTANCE_TEST(statistics__when_the_peer_lives__are_asked_for),
        INSTANCE_TEST(statistics__when_the_peer_expired__are_those_last_polled),
        INSTANCE_TEST(statistics__when_the_peer_is_gone__are_those_last_polled),
        INSTANCE_TEST(statistics__when_there_never_was_a_peer__are_not_asked_for),
        INSTANCE_TEST(statistics__when_not_yet_connected__are_not_asked_for),
        INSTANCE_TEST(statistics__when_all_are_closed__take_a_request_each),
        INSTANCE_TEST(statistics__when_the_server_exits__are_those_of_each_alone),

        P2P_TEST(p2p_notification__when_its_peer_expired__restarts),
        P2P_TEST(p2p_notification__when_its_peer_expired__exits_if_told_to),
        P2P_TEST(p2p_notification__when_for_another_reason__is_ignored),
        P2P_TEST(p2p_notification__when_of_another_peer__is_ignored),
        P2P_TEST(p2p_notification__when_late__is_ignored),
        P2P_TEST(p2p_notification__when_of_another_interface__is_ignored),
        P2P_TEST(p2p_notification__when_a_signal_is_pending__is_left),
    };

    return cmocka_run_group_tests_name("dco_instance", tests, NULL, NULL);
}

#endif /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) && defined(ENABLE_PLUGIN) */
