/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Unit tests of dco_linux.c: notifications of the kernel, alone, in batches and
 * next to requests, are read, each is processed, and none is lost.
 */

#include "mock_main.h"

#if defined(ENABLE_DCO) && defined(TARGET_LINUX)

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

/* of other peers, too: those of other interfaces and of earlier ones come as well */
static void
p2p_batch__when_one_is_of_our_peer__that_is_processed(void **state)
{
    const struct notification expected[] = { { 1, OVPN_DEL_PEER_REASON_EXPIRED } };

    for (int one_datagram = 0; one_datagram < 2; ++one_datagram)
    {
        n_processed = 0;
        multicast_expired(0, 64, one_datagram);
        run_event_loop();
        assert_processed(expected, SIZE(expected));
    }
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
        connect_clients(20);
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
 * Contents
 */

static void
peer_id__when_smallest_and_largest__is_of_that_client(void **state)
{
    static struct batch batch;
    const struct notification expected[] = {
        { 0, OVPN_DEL_PEER_REASON_EXPIRED },
        { MAX_CLIENTS - 1, OVPN_DEL_PEER_REASON_EXPIRED },
    };

    del_peer(&batch, 0, OVPN_DEL_PEER_REASON_EXPIRED);
    del_peer(&batch, MAX_CLIENTS - 1, OVPN_DEL_PEER_REASON_EXPIRED);
    /* of no client */
    del_peer(&batch, MAX_CLIENTS, OVPN_DEL_PEER_REASON_EXPIRED);
    del_peer(&batch, MAX_PEER_ID, OVPN_DEL_PEER_REASON_EXPIRED);
    del_peer(&batch, 0x80000000, OVPN_DEL_PEER_REASON_EXPIRED);
    del_peer(&batch, 0xffffffff, OVPN_DEL_PEER_REASON_EXPIRED);
    multicast(&batch);
    run_event_loop();
    assert_processed(expected, SIZE(expected));
}

static void
reason__when_any__is_handed_on(void **state)
{
    struct notification expected[__OVPN_DEL_PEER_REASON_AFTER_LAST];

    for (int i = 0; i < __OVPN_DEL_PEER_REASON_AFTER_LAST; ++i)
    {
        expected[i].peer_id = 1;
        expected[i].reason = i;
        connect_client(1);
        multicast_del_peer(1, i);
        run_event_loop();
        assert_processed(expected, i + 1);
    }
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

/* What one call takes while \a n are pending: the event loop has been elsewhere
 * for \a elsewhere milliseconds since the last call, which took \a first, has left
 * some, and each notification takes \a each. */
struct bound_case
{
    int n;
    int first;
    int elsewhere;
    int each;
    int taken;
};

static int each;

static void
take_time(void)
{
    spend(each);
}

static void
test_bound(void **state)
{
    const struct bound_case *b = *state;

    on_notification = take_time;
    each = b->first;
    multicast_expired(0, 1 + b->n, false);
    dco_read(&tuntap.dco);
    assert_expired(0, 1);

    each = b->each;
    spend(b->elsewhere);
    dco_read(&tuntap.dco);
    assert_expired(0, 1 + b->taken);
    assert_int_equal(readable(), b->taken < b->n);

    run_event_loop();
    assert_expired(0, 1 + b->n);
}

#define BOUND_CASE(what, ...)                                               \
    SERVER_CASE("read__when_" what, test_bound, (&(struct bound_case){ __VA_ARGS__ }))

static void
read__when_nothing_was_left__takes_one_however_long_ago(void **state)
{
    multicast_expired(0, 2, false);
    run_event_loop();
    spend(3600 * 1000);
    multicast_expired(2, 5, false);
    dco_read(&tuntap.dco);
    assert_expired(0, 3);
}

static void
set_clock_back(void)
{
    wall_clock.tv_sec -= n_processed == 2 ? 3600 : 0;
}

static void
read__when_the_clock_goes_back__takes_one_at_least(void **state)
{
    on_notification = set_clock_back;
    multicast_expired(0, 20, false);
    for (int i = 1; readable(); ++i)
    {
        dco_read(&tuntap.dco);
        assert_in_range(n_processed, i, 20);
        spend(1);
    }
    assert_expired(0, 20);
}

/** Let one more notification than \a n be left, and much time pass. */
static void
leave_some(int n)
{
    multicast_expired(n, 2, false);
    dco_read(&tuntap.dco);
    assert_true(readable());
    spend(10 * 1000);
    n_processed = 0;
}

static void
read__when_a_signal_is_raised__stops_after_that_datagram(void **state)
{
    leave_some(100);
    on_notification = raise_signal;
    multicast_expired(0, 5, false);
    dco_read(&tuntap.dco);
    assert_int_equal(n_processed, 3);
    assert_true(readable());

    /* the others are left to be read */
    on_notification = NULL;
    signal_info.signal_received = 0;
    run_event_loop();
    assert_int_equal(n_processed, 6);
}

/* the time that it did not use is not kept */
static void
read__when_a_signal_was_raised__has_no_more_time_later(void **state)
{
    leave_some(100);
    on_notification = raise_signal;
    multicast_expired(0, 300, false);
    dco_read(&tuntap.dco);
    signal_info.signal_received = 0;

    n_processed = 0;
    on_notification = take_time;
    each = 20;
    spend(60);
    dco_read(&tuntap.dco);
    assert_int_equal(n_processed, 3);
}

/* only packets that wait get back what the last one took, and only that */
static void
read__when_no_packet_waits__owes_nothing(void **state)
{
    on_notification = take_time;
    each = 100;
    multicast_expired(0, 300, false);
    for (int i = 0; i < 10; ++i)
    {
        dco_read(&tuntap.dco);
    }
    assert_expired(0, 10);

    each = 20;
    spend(160);
    dco_read(&tuntap.dco);
    assert_expired(0, 13);
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
    run_event_loop();
    assert_expired(0, 4);
    assert_int_equal(warned, 0);
}

static void
read__when_an_error_is_pending__warns_and_goes_on(void **state)
{
    multicast_error(ECONNRESET);
    multicast_expired(0, 2, false);
    run_event_loop();
    assert_expired(0, 2);
    assert_int_equal(warned, 1);
}

static void
read__when_every_read_fails__returns(void **state)
{
    leave_some(100);
    on_notification = NULL;
    multicast_expired(0, 1, true);
    run_event_loop();
    for (int i = 0; i < 100; ++i)
    {
        multicast_error(ECONNRESET);
    }
    dco_read(&tuntap.dco);
    assert_int_equal(queue_length(socket_of(polled_fd())->queue.head), 99);
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
    run_event_loop();
    assert_expired(0, 3);
}

/*
 * The sockets
 */

static void
buffer__when_of_a_server__is_large(void **state)
{
    assert_int_equal(socket_of(polled_fd())->rcvbuf_joined, 4 * 1024 * 1024);
}

static void
p2p_buffer__when_there_is_one_peer__is_as_that_for_replies(void **state)
{
    assert_int_equal(socket_of(polled_fd())->rcvbuf_joined, 1024 * 1024);
    assert_int_equal(request_socket()->rcvbuf, 1024 * 1024);
}

static void
buffer__when_the_limit_may_not_be_exceeded__is_as_large_as_it_may(void **state)
{
    close_tun_dco(&tuntap, NULL);
    kernel.limited = true;
    open_device();
    assert_int_equal(warned_opening, 0);
    assert_int_equal(socket_of(polled_fd())->rcvbuf_joined, 1024 * 1024);
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

#define BETWEEN_CASE(what)                                                  \
    SERVER_CASE("notification__when_between_" #what "_replies__is_kept",    \
                test_request, REQUEST_CASE(what, between, 0))

int
run_cases(void)
{
    const struct CMUnitTest tests[] = {
        BATCH_CASES(1),
        BATCH_CASES(2),
        BATCH_CASES(64),
        BATCH_CASES(1024),
        P2P_TEST(p2p_batch__when_one_is_of_our_peer__that_is_processed),

        REQUEST_CASES(new_peer),
        REQUEST_CASES(set_peer),
        REQUEST_CASES(del_peer),
        REQUEST_CASES(new_key),
        REQUEST_CASES(swap_keys),
        REQUEST_CASES(del_key),
        REQUEST_CASES(get_peer),
        REQUEST_CASES(get_all_peers),
        BETWEEN_CASE(get_peer),
        BETWEEN_CASE(get_all_peers),
        SERVER_TEST(notification__when_it_makes_requests__loses_no_other),

        SERVER_CASE("notification__when_asking_for_an_ack__is_processed",
                    test_flags, FLAG_CASE(NLM_F_ACK, 0)),
        SERVER_CASE("notification__when_numbered__is_processed",
                    test_flags, FLAG_CASE(0, 4711)),

        SERVER_TEST(peer_id__when_smallest_and_largest__is_of_that_client),
        SERVER_TEST(reason__when_any__is_handed_on),
        P2P_CASE("reason__when_any__is_handed_on", reason__when_any__is_handed_on, NULL),

        SERVER_TEST(read__when_nothing_is_pending__returns_without_a_word),
        BOUND_CASE("the_loop_took_no_time__takes_one", 300, 0, 0, 1, 1),
        BOUND_CASE("the_loop_took_as_long_as_three__takes_three", 300, 0, 60, 20, 3),
        BOUND_CASE("the_loop_took_longer_than_three__takes_four", 300, 0, 61, 20, 4),
        BOUND_CASE("one_takes_longer_than_the_loop__takes_one", 300, 0, 60, 200, 1),
        BOUND_CASE("the_loop_took_a_second__takes_as_long", 1000, 0, 1200, 2, 600),
        BOUND_CASE("the_loop_took_minutes__takes_five_seconds", 300, 0, 120 * 1000, 100, 50),
        BOUND_CASE("the_rest_takes_less__takes_all", 20, 0, 1000, 2, 20),
        BOUND_CASE("the_last_took_longer_than_the_loop__takes_one", 300, 100, 60, 20, 1),
        BOUND_CASE("the_last_took_longer_than_it_had__takes_so_much_less", 300, 100, 160, 20, 3),
        BOUND_CASE("the_last_took_minutes__takes_five_seconds_less", 300, 60 * 1000, 5500, 100, 1),
        SERVER_TEST(read__when_nothing_was_left__takes_one_however_long_ago),
        SERVER_TEST(read__when_the_clock_goes_back__takes_one_at_least),
        SERVER_TEST(read__when_a_signal_is_raised__stops_after_that_datagram),
        SERVER_TEST(read__when_a_signal_was_raised__has_no_more_time_later),
        SERVER_TEST(read__when_no_packet_waits__owes_nothing),
        SERVER_TEST(read__when_a_signal_is_raised__finishes_that_datagram),
        SERVER_TEST(read__when_interrupted__goes_on),
        SERVER_TEST(read__when_an_error_is_pending__warns_and_goes_on),
        SERVER_TEST(read__when_every_read_fails__returns),
        SERVER_TEST(read__when_framing_is_broken__drops_that_datagram_only),

        SERVER_TEST(buffer__when_of_a_server__is_large),
        P2P_TEST(p2p_buffer__when_there_is_one_peer__is_as_that_for_replies),
        SERVER_TEST(buffer__when_the_limit_may_not_be_exceeded__is_as_large_as_it_may),
        SERVER_TEST(socket__when_it_cannot_be_opened__is_fatal),
        SERVER_TEST(poll__when_the_device_is_not_open_yet__has_no_descriptor),
        SERVER_TEST(poll__when_only_a_reply_is_pending__does_not_wake),
        SERVER_TEST(poll__when_the_device_is_closed__has_no_descriptor),
    };

    return cmocka_run_group_tests_name("dco_notification", tests, NULL, NULL);
}

#endif /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) */
