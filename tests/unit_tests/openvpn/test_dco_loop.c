/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Unit tests of the event loops of a server, and of client and P2P mode:
 * notifications and the rest get their turn, and none waits while there are peers
 * to check, or when a signal is pending.
 *
 * The loops, multi.c, forward.c, sig.c and dco_linux.c are the real ones.  What
 * they wait for is mocked here.
 */

#define main openvpn_c_main
#include "openvpn.c"
#undef main

#include "mock_main.h"

#if defined(ENABLE_DCO) && defined(TARGET_LINUX)

#include "mock_instance.h"
#include "mock_msg.h"

#include "event.h"
#include "mbuf.h"
#include "mtcp.h"
#include "mudp.h"
#include "ping.h"
#include "schedule.h"

/* peer-ids from here on are of no client */
#define UNKNOWN     500

/* What a case runs: the loop, and whether epoll reports the device after the rest; what a close,
 * a packet and the rest of a pass take, in milliseconds. */
struct loop_case
{
    void (*loop)(struct context *c);
    bool dco_last;
    int close;
    int packet;
    int pass;
};

static const struct loop_case *running_case;

/* how often the loop has waited */
static int n_waits;

/* whether it came to wait with nothing to do, by which it ends */
static bool idle;

/* called each time that it waits, if set */
static void (*on_wait)(void);

/* packets that the socket has, how many have been read, the time that each takes, in
 * milliseconds, and how many instances had been closed when it was read */
static int n_packets;
static int n_read;
static int packet_takes;
static int closed_ahead[100];

/* called for each packet that is read, if set */
static void (*on_packet)(void);

/*
 * What it waits for
 */

static void *dco_arg, *socket_arg;

static void
fake_free(struct event_set *es)
{
}

static void
fake_reset(struct event_set *es)
{
    dco_arg = socket_arg = NULL;
}

static void
fake_del(struct event_set *es, event_t event)
{
}

static void
fake_ctl(struct event_set *es, event_t event, unsigned int rwflags, void *arg)
{
    if (event == polled_fd())
    {
        dco_arg = arg;
    }
}

unsigned int
socket_set(struct link_socket *s, struct event_set *es, unsigned int rwflags, void *arg,
           unsigned int *persistent)
{
    socket_arg = arg;
    return rwflags;
}

/** A packet has come. */
static void
take_packet(void)
{
    assert_in_range(n_read, 0, SIZE(closed_ahead) - 1);
    --n_packets;
    closed_ahead[n_read++] = n_closed;
    spend(packet_takes);
    if (on_packet)
    {
        on_packet();
    }
}

/* For TCP, where it takes no socket: a command of the management interface. */
struct management *management;

void
management_io(struct management *man)
{
    take_packet();
}

static int
fake_wait(struct event_set *es, const struct timeval *tv, struct event_set_return *out,
          int outlen)
{
    const bool tcp = running_case->loop == tunnel_server_tcp;
    int n = 0;

    ++n_waits;
    assert_in_range(n_waits, 1, 2 * MAX_CLIENTS);
    assert_in_range(outlen, 2, INT_MAX);
    assert_non_null(dco_arg);
    if (on_wait)
    {
        on_wait();
    }
    management = tcp && n_packets ? (struct management *)&n_packets : NULL;
    void *const packet_arg = tcp ? (void *)4 /* MTCP_MANAGEMENT of mtcp.c */ : socket_arg;
    for (int i = 0; i < 2; ++i)
    {
        const bool dco = i == running_case->dco_last;

        if (dco ? readable() : n_packets > 0)
        {
            out[n].rwflags = EVENT_READ;
            out[n++].arg = dco ? dco_arg : packet_arg;
        }
    }
    if (!n)
    {
        idle = true;
        signal_info.signal_received = SIGTERM;
    }
    return n;
}

static struct event_set event_set = {
    .func = { fake_free, fake_reset, fake_del, fake_ctl, fake_wait }
};

struct event_set *
event_set_init(int *maxevents, unsigned int flags)
{
    return &event_set;
}

/*
 * What else the loops call
 */

static struct link_socket link_socket = { .info = { .proto = PROTO_UDP } };
static struct context_buffers buffers;

void
context_clear_2(struct context *c)
{
    CLEAR(c->c2);
}

void
init_instance_handle_signals(struct context *c, const struct env_set *env,
                             const unsigned int flags)
{
    assert_ptr_equal(c, &top);
    c->c2.event_set = &event_set;
    c->c2.did_open_tun = true;
    c->c2.link_socket_info = &link_socket.info;
    c->c2.occ_op = -1;
    c->c2.coarse_timer_wakeup = now + 3600;
    if (c->mode == CM_P2P)
    {
        c->c2.tls_multi = &tls_multi;
    }
    else if (running_case->loop == tunnel_server_udp)
    {
        c->c2.link_socket = &link_socket;
    }
}

/* that of the server which runs */
static struct multi_context *running;

void
inherit_context_top(struct context *dest, const struct context *src)
{
    running = (struct multi_context *)((char *)dest - offsetof(struct multi_context, top));
    *dest = *src;
    dest->mode = CM_TOP_CLONE;
}

void
initialization_sequence_completed(struct context *c, const unsigned int flags)
{
    connect_instances(running);
}

struct context_buffers *
init_context_buffers(const struct frame *frame)
{
    buffers.read_link_buf = alloc_buf(100);
    return &buffers;
}

void
free_context_buffers(struct context_buffers *b)
{
    free_buf(&b->read_link_buf);
}

int
link_socket_read_udp_posix(struct link_socket *sock, struct buffer *buf,
                           struct link_socket_actual *from)
{
    take_packet();
    return 0;
}

/*
 * Setup of a case
 */

static int
setup(void **state)
{
    running_case = *state;
    reset(running_case->loop == tunnel_point_to_point ? CM_P2P : CM_TOP);
    open_device();
    mock_set_debug_level(3);
    tuntap.fd = -1;
    top.options.real_hash_size = top.options.virtual_hash_size = 4;
    top.options.max_clients = MAX_CLIENTS;
    top.options.n_bcast_buf = 1;

    n_waits = n_packets = n_read = packet_takes = 0;
    idle = false;
    on_wait = on_packet = NULL;
    management = NULL;
    return 0;
}

static int
teardown_loop(void **state)
{
    free_instances();
    return teardown(state);
}

/** Let the loop run until it is idle, or ends for another reason. */
static void
run_loop(void)
{
    running_case->loop(&top);
}

/** How many peers there are to check. */
static int
n_peers(void)
{
    return running_case->loop == tunnel_point_to_point ? 1 : N_CLIENTS;
}

static int
sum_of_requests(void)
{
    int sum = 0;

    for (int i = 0; i < N_PEERS; ++i)
    {
        /* nobody is asked for twice */
        assert_in_range(kernel.n_get_peer[i], 0, 1);
        sum += kernel.n_get_peer[i];
    }
    return sum;
}

/*
 * Notifications
 */

static void
expire_one(void)
{
    if (n_waits == 1)
    {
        multicast_expired(1, 1, true);
    }
}

static void
loop__when_a_peer_expires__is_told(void **state)
{
    on_wait = expire_one;
    run_loop();
    if (running_case->loop == tunnel_point_to_point)
    {
        assert_int_equal(n_waits, 1);
        assert_int_equal(signal_info.signal_received, SIGUSR1);
    }
    else
    {
        assert_int_equal(n_waits, 2);
        assert_true(idle);
        assert_only_closed(1, 1);
    }
}

/* otherwise the packet could be for the instance of a peer that is gone; but the
 * other notifications wait while there are packets */
static void
loop__when_there_is_a_packet__reads_a_notification_first(void **state)
{
    n_packets = 3;
    multicast_expired(1, 5, false);
    run_loop();
    assert_true(idle);
    assert_int_equal(n_read, 3);
    assert_int_equal(closed_ahead[0], 1);
    assert_int_equal(closed_ahead[2], 3);
    assert_only_closed(1, 5);
}

static void
expire_another_with_a_packet(void)
{
    if (n_waits <= 2)
    {
        multicast_expired(n_waits, 1, true);
        n_packets = n_waits - 1;
    }
}

/* the order of events is that of epoll as long as none is discarded */
static void
loop__when_another_comes_with_a_packet__reads_it_first(void **state)
{
    on_wait = expire_another_with_a_packet;
    run_loop();
    assert_true(idle);
    assert_int_equal(n_read, 1);
    assert_int_equal(closed_ahead[0], 2);
}

static void
take_10(int cmd)
{
    spend(10);
}

/* the next when there is none, so that the queue is empty each time */
static void
expire_next(void)
{
    static int next;

    next = n_waits == 1 ? 1 : next;
    if (next <= 5 && !readable())
    {
        multicast_expired(next++, 1, true);
    }
}

/* half of the time is theirs, whatever takes it */
static void
test_share(void)
{
    kernel.on_request = take_10;
    packet_takes = 2;
    n_packets = 30;
    run_loop();
    assert_true(idle);
    assert_int_equal(n_read, 30);
    for (int i = 0; i < 25; ++i)
    {
        assert_int_equal(closed_ahead[i], running_case->dco_last ? (i + 4) / 5 : 1 + i / 5);
    }
    assert_only_closed(1, 5);
}

static void
loop__when_a_notification_takes_time__packets_get_as_much(void **state)
{
    multicast_expired(1, 5, false);
    test_share();
}

static void
loop__when_each_comes_late_and_takes_time__packets_get_as_much(void **state)
{
    on_wait = expire_next;
    test_share();
}

static int elsewhere, passes_without;

static void
take_pass(void)
{
    /* a packet always waits */
    n_packets = 1;
    spend(running_case->pass);
    elsewhere += running_case->pass + n_read * running_case->packet;
    /* a close may have discarded the event, but not twice in a row */
    passes_without = n_read || n_waits == 1 ? 0 : passes_without + 1;
    assert_in_range(passes_without, 0, 1);
    n_read = 0;

    if (n_closed == 30)
    {
        signal_info.signal_received = SIGTERM;
        return;
    }

    /* neither gets ahead of the other by more than two turns */
    const int longest = max_int(running_case->close, running_case->pass + running_case->packet);
    const int ahead = n_closed * running_case->close - elsewhere;
    assert_in_range(ahead + 2 * longest, 0, 4 * longest);
}

static void
take_close(int cmd)
{
    spend(running_case->close);
}

static void
test_backlog(void **state)
{
    elsewhere = passes_without = 0;
    on_wait = take_pass;
    kernel.on_request = take_close;
    packet_takes = running_case->packet;
    multicast_expired(1, 30, false);
    run_loop();
    assert_only_closed(1, 30);
}

static void
kill_one(void)
{
    multi_close_instance(running, &instance[100 + n_read], false);
}

/* as when many TCP connections end: each close discards the events behind it */
static void
loop__when_others_close_clients__reads_in_between(void **state)
{
    n_packets = 10;
    on_packet = kill_one;
    multicast_expired(1, 10, false);
    run_loop();
    assert_true(idle);
    assert_int_equal(n_closed, 20);
    for (int i = 0; i < 10; ++i)
    {
        /* as many for notifications, and one */
        assert_int_equal(closed_ahead[i], 2 * i + 1);
    }
}

static void
loop__when_there_is_no_packet__does_not_wait_for_one(void **state)
{
    kernel.on_request = take_10;
    multicast_expired(1, 5, false);
    run_loop();
    assert_true(idle);
    assert_int_equal(n_waits, 6);
    assert_only_closed(1, 5);
}

static void
be_late_twice(void)
{
    if (n_waits == 1)
    {
        multicast_expired(1, 1, false);
        multicast_expired(1, 1, false);
        kernel.gone[1] = false;
    }
}

static void
loop__when_late_ones_take_time__reads_on(void **state)
{
    kernel.on_request = take_10;
    on_wait = be_late_twice;
    run_loop();
    assert_true(idle);
    assert_int_equal(n_waits, 3);
    assert_int_equal(kernel.n_get_peer[1], 2);
}

/*
 * The search for lost ones
 */

static void
lose_some(void)
{
    if (n_waits == 1)
    {
        remove_peers(10, 10);
        multicast_error(ENOBUFS);
        multicast_expired(UNKNOWN, 200, false);
    }
}

static void
loop__when_notifications_are_lost__does_not_wait_until_all_is_done(void **state)
{
    on_wait = lose_some;
    run_loop();
    assert_true(idle);
    assert_int_equal(sum_of_requests(), n_peers());
    if (running_case->loop != tunnel_point_to_point)
    {
        assert_int_equal(n_closed, 10);
        for (int i = 10; i < 20; ++i)
        {
            assert_true(instance[i].halt);
            assert_string_equal(instance_signal[i].signal_text, "ovpn-dco: ping expired");
        }
    }
}

/* it is a pass of the event loop for each: packets don't wait for all */
static void
loop__when_notifications_are_lost__gets_to_packets(void **state)
{
    n_packets = 5;
    on_wait = lose_some;
    run_loop();
    assert_int_equal(n_read, 5);
    assert_int_equal(closed_ahead[4], 0);
    assert_int_equal(n_closed, 10);
}

static void
lose_one(void)
{
    if (n_waits == 1)
    {
        remove_peer(1);
        multicast_error(ENOBUFS);
    }
}

static void
raise_sigterm(int cmd)
{
    signal_info.signal_received = SIGTERM;
}

static void
loop__when_a_signal_is_raised_meanwhile__ends_before_it_waits(void **state)
{
    on_wait = lose_one;
    kernel.on_request = raise_sigterm;
    run_loop();
    assert_false(idle);
    assert_int_equal(kernel.n_requests, 1);
}

static void
loop__when_the_peer_is_lost__restarts(void **state)
{
    on_wait = lose_one;
    run_loop();
    assert_int_equal(n_waits, 1);
    assert_int_equal(signal_info.signal_received, SIGUSR1);
    assert_string_equal(signal_info.signal_text, "ping-restart");
}

static void
loop__when_the_peer_is_lost__exits_if_told_to(void **state)
{
    top.options.ping_rec_timeout_action = PING_EXIT;
    on_wait = lose_one;
    run_loop();
    assert_int_equal(n_waits, 1);
    assert_int_equal(signal_info.signal_received, SIGTERM);
    assert_string_equal(signal_info.signal_text, "ping-exit");
}

#define LOOP_CASE(title, f, ...) { title, f, setup, teardown_loop, &(struct loop_case){ __VA_ARGS__ } }
#define UDP_TEST(f) LOOP_CASE("udp_server_" #f, f, .loop = tunnel_server_udp)
#define TCP_TEST(f) LOOP_CASE("tcp_server_" #f, f, .loop = tunnel_server_tcp)
#define TCP_LAST_TEST(f)                                                                \
    LOOP_CASE("tcp_server_dco_last_" #f, f, .loop = tunnel_server_tcp, .dco_last = true)
#define P2P_TEST_LOOP(f) LOOP_CASE("p2p_" #f, f, .loop = tunnel_point_to_point)
#define SERVER_TESTS(f) UDP_TEST(f), TCP_TEST(f), TCP_LAST_TEST(f)
#define LOOP_TESTS(f) SERVER_TESTS(f), P2P_TEST_LOOP(f)
#define BACKLOG_CASE(title, ...)                                                        \
    LOOP_CASE(title "__shares_the_time", test_backlog, __VA_ARGS__)
#define BACKLOG_CASES(what, ...)                                                                \
    BACKLOG_CASE("udp_server_loop__when_" what, tunnel_server_udp, false, __VA_ARGS__),         \
    BACKLOG_CASE("tcp_server_loop__when_" what, tunnel_server_tcp, false, __VA_ARGS__),         \
    BACKLOG_CASE("tcp_server_dco_last_loop__when_" what, tunnel_server_tcp, true, __VA_ARGS__)

int
run_cases(void)
{
    const struct CMUnitTest tests[] = {
        LOOP_TESTS(loop__when_a_peer_expires__is_told),
        UDP_TEST(loop__when_there_is_a_packet__reads_a_notification_first),
        UDP_TEST(loop__when_another_comes_with_a_packet__reads_it_first),
        TCP_TEST(loop__when_another_comes_with_a_packet__reads_it_first),
        LOOP_TESTS(loop__when_late_ones_take_time__reads_on),
        SERVER_TESTS(loop__when_a_notification_takes_time__packets_get_as_much),
        SERVER_TESTS(loop__when_each_comes_late_and_takes_time__packets_get_as_much),
        BACKLOG_CASES("scripts_take_1_ms", 1, 1, 0),
        BACKLOG_CASES("scripts_take_20_ms", 20, 1, 0),
        BACKLOG_CASES("scripts_take_200_ms", 200, 5, 1),
        BACKLOG_CASES("scripts_take_1_s", 1000, 100, 0),
        BACKLOG_CASES("scripts_take_5_s", 5000, 100, 1),
        BACKLOG_CASES("a_pass_takes_20_ms", 1, 1, 20),
        BACKLOG_CASES("a_pass_takes_1_s", 50, 1, 1000),
        BACKLOG_CASES("a_pass_takes_5_s", 1000, 1, 4999),
        BACKLOG_CASES("both_take_1_s", 1000, 1, 999),
        TCP_TEST(loop__when_others_close_clients__reads_in_between),
        SERVER_TESTS(loop__when_there_is_no_packet__does_not_wait_for_one),

        LOOP_TESTS(loop__when_notifications_are_lost__does_not_wait_until_all_is_done),
        UDP_TEST(loop__when_notifications_are_lost__gets_to_packets),
        LOOP_TESTS(loop__when_a_signal_is_raised_meanwhile__ends_before_it_waits),
        P2P_TEST_LOOP(loop__when_the_peer_is_lost__restarts),
        P2P_TEST_LOOP(loop__when_the_peer_is_lost__exits_if_told_to),
    };

    return cmocka_run_group_tests_name("dco_loop", tests, NULL, NULL);
}

#endif /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) */
