/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Unit tests of dco_linux.c: requests whose replies are late, lost, or errors.
 */

#include "mock_main.h"

#if defined(ENABLE_DCO) && defined(TARGET_LINUX)

#include "mock_openvpn.h"

#include <poll.h>

/* what becomes of the replies: they come when poll() waits for them, or after
 * the next request */
static enum { IN_TIME, WHILE_WAITING, LATE, NEVER } replies;

/* those that were not queued yet */
static struct datagram_queue held;

/* how often poll() was called, and how often a signal interrupts it */
static int n_polls, n_interrupts;

/* requests of each command */
static int n_commands[UINT8_MAX + 1];

static bool
hold_reply(const struct nlmsghdr *reply)
{
    if (replies == WHILE_WAITING || replies == LATE)
    {
        enqueue(&held, 0, reply, reply->nlmsg_len);
    }
    return replies != IN_TIME;
}

static void
queue_held(struct netlink_socket *sock)
{
    while (held.head)
    {
        enqueue(&sock->queue, 0, held.head->data, held.head->len);
        dequeue(&held);
    }
}

static void
count_command(int cmd)
{
    queue_held(request_socket());
    ++n_commands[cmd];
}

int
poll(struct pollfd *fds, nfds_t n, int timeout)
{
    /* volatile: glibc declares that poll() writes here only */
    const struct pollfd *volatile request = fds;
    struct netlink_socket *sock = socket_of(request->fd);

    assert_int_equal(n, 1);
    assert_int_equal(request->events, POLLIN);
    if (!timeout)
    {
        return sock->queue.head ? 1 : 0;    /* that of notifications */
    }
    assert_ptr_equal(sock, request_socket());
    assert_in_range(timeout, 1, 1000);
    ++n_polls;
    if (n_interrupts > 0)
    {
        --n_interrupts;
        errno = EINTR;
        return -1;
    }
    if (replies == WHILE_WAITING)
    {
        queue_held(sock);
    }
    return sock->queue.head ? 1 : 0;
}

static int
setup(void **state)
{
    setup_server(state);
    kernel.on_reply = hold_reply;
    kernel.on_request = count_command;
    replies = IN_TIME;
    n_polls = n_interrupts = 0;
    CLEAR(n_commands);
    return 0;
}

static int
teardown_held(void **state)
{
    while (held.head)
    {
        dequeue(&held);
    }
    return teardown(state);
}

#define REQUEST(what) { #what, request_ ## what }

/* all but new_peer, which makes another one if its reply is lost */
static const struct request requests[] = {
    REQUEST(set_peer),
    REQUEST(del_peer),
    REQUEST(new_key),
    REQUEST(swap_keys),
    REQUEST(del_key),
    REQUEST(get_peer),
    REQUEST(get_all_peers),
};

static const struct request new_peer = REQUEST(new_peer);

/** Make a request, and check what it returns, and how often it has waited. */
static void
assert_request(const struct request *request, int expected, int polls)
{
    n_polls = 0;
    int ret = request->make();
    if (ret != expected || n_polls != polls)
    {
        fail_msg("%s: returned %d after %d calls of poll(), expected %d after %d",
                 request->name, ret, n_polls, expected, polls);
    }
}

static void
request__when_the_reply_is_lost__fails_after_a_while(void **state)
{
    for (size_t i = 0; i < SIZE(requests); ++i)
    {
        replies = NEVER;
        assert_request(&requests[i], -ETIMEDOUT, 1);
        replies = IN_TIME;
        assert_request(&requests[i], 0, 0);
    }
}

static void
request__when_the_reply_comes_while_waiting__succeeds(void **state)
{
    replies = WHILE_WAITING;
    for (size_t i = 0; i < SIZE(requests); ++i)
    {
        assert_request(&requests[i], 0, 1);
    }
    assert_int_equal(warned, 0);
}

static void
request__when_a_signal_interrupts_the_wait__waits_on(void **state)
{
    replies = WHILE_WAITING;
    for (size_t i = 0; i < SIZE(requests); ++i)
    {
        n_interrupts = 1;
        assert_request(&requests[i], 0, 2);
    }
}

/* each request after each other one whose reply is late */
static void
test_late_reply(int first, int second)
{
    for (size_t i = 0; i < SIZE(requests); ++i)
    {
        for (size_t j = 0; j < SIZE(requests); ++j)
        {
            replies = LATE;
            kernel.request_error = first;
            assert_request(&requests[i], -ETIMEDOUT, 1);

            replies = IN_TIME;
            kernel.request_error = second;
            assert_request(&requests[j], second, 0);
        }
    }
}

static void
late_reply__when_good__is_not_that_of_the_next_request(void **state)
{
    test_late_reply(0, -EINVAL);
}

static void
late_reply__when_bad__is_not_that_of_the_next_request(void **state)
{
    test_late_reply(-ENOENT, 0);
}

static void
late_reply__when_there_are_some__are_all_skipped(void **state)
{
    replies = LATE;
    for (int i = 0; i < 20; ++i)
    {
        request_swap_keys();
    }
    replies = IN_TIME;
    kernel.request_error = -EINVAL;
    assert_int_equal(request_set_peer(), -EINVAL);
}

/* neither that one nor the one after it gets it */
static void
late_reply__when_the_next_request_is_not_sent__is_skipped(void **state)
{
    for (size_t i = 0; i < SIZE(requests); ++i)
    {
        replies = LATE;
        assert_request(&requests[i], -ETIMEDOUT, 1);

        replies = IN_TIME;
        kernel.send_error = ENOBUFS;
        assert_request(&requests[i], -EIO, 0);
        kernel.send_error = 0;

        kernel.request_error = -EINVAL;
        assert_request(&requests[i], -EINVAL, 0);
        kernel.request_error = 0;
    }
}

/* such as the question whether a notification is late */
static void
late_reply__when_a_notification_comes_next__is_skipped(void **state)
{
    replies = LATE;
    kernel.request_error = -ENOENT;
    assert_request(&requests[0], -ETIMEDOUT, 1);
    replies = IN_TIME;
    kernel.request_error = 0;

    multicast_del_peer(2, OVPN_DEL_PEER_REASON_EXPIRED);
    kernel.gone[2] = false;
    run_event_loop();
    assert_int_equal(n_processed, 0);
    assert_int_equal(kernel.n_get_peer[2], 1);
}

static void
request__when_it_cannot_be_sent__fails_at_once(void **state)
{
    kernel.send_error = ENOBUFS;
    for (size_t i = 0; i < SIZE(requests); ++i)
    {
        assert_request(&requests[i], -EIO, 0);
    }
    assert_request(&new_peer, -EIO, 0);
    assert_int_equal(kernel.fruitless_reads, 0);
    kernel.send_error = 0;
    assert_int_equal(request_set_peer(), 0);
}

static void
request__when_refused__is_the_only_one_that_fails(void **state)
{
    const int error[] = { -ENOMEM, -ENOBUFS, -ENOENT, -EEXIST, -EAGAIN, -EINTR,
                          -EOPNOTSUPP };

    for (size_t i = 0; i < SIZE(error); ++i)
    {
        for (size_t j = 0; j < SIZE(requests); ++j)
        {
            kernel.request_error = error[i];
            assert_request(&requests[j], error[i], 0);
            kernel.request_error = 0;
            assert_request(&requests[j], 0, 0);
        }
    }
}

static void
request__when_the_socket_has_an_error__still_gets_its_reply(void **state)
{
    enqueue(&request_socket()->queue, ENOBUFS, NULL, 0);
    enqueue(&request_socket()->queue, ECONNRESET, NULL, 0);
    assert_int_equal(request_set_peer(), 0);
    assert_int_equal(warned, 2);
}

static void
request__when_reading_always_fails__fails(void **state)
{
    replies = NEVER;
    for (int i = 0; i < 1000; ++i)
    {
        enqueue(&request_socket()->queue, ECONNRESET, NULL, 0);
    }
    assert_int_equal(request_set_peer(), -ETIMEDOUT);
    assert_non_null(request_socket()->queue.head);
}

/* nobody can use it any more */
static void
request__when_the_device_is_gone__is_fatal(void **state)
{
    kernel.request_error = -ENODEV;
    for (size_t i = 0; i < SIZE(requests); ++i)
    {
        assert_true(is_fatal(requests[i].make));
    }
    assert_true(is_fatal(new_peer.make));
}

static void
new_peer__when_its_reply_is_lost__is_deleted_again(void **state)
{
    replies = NEVER;
    assert_request(&new_peer, -ETIMEDOUT, 2);
    assert_int_equal(n_commands[OVPN_CMD_NEW_PEER], 1);
    assert_int_equal(n_commands[OVPN_CMD_DEL_PEER], 1);
}

static void
new_peer__when_refused__is_not_deleted(void **state)
{
    kernel.request_error = -EEXIST;
    assert_request(&new_peer, -EEXIST, 0);
    assert_int_equal(n_commands[OVPN_CMD_DEL_PEER], 0);
    assert_int_equal(kernel.n_requests, 1);
}

#define REQUEST_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown_held)

int
run_cases(void)
{
    const struct CMUnitTest tests[] = {
        REQUEST_TEST(request__when_the_reply_is_lost__fails_after_a_while),
        REQUEST_TEST(request__when_the_reply_comes_while_waiting__succeeds),
        REQUEST_TEST(request__when_a_signal_interrupts_the_wait__waits_on),
        REQUEST_TEST(late_reply__when_good__is_not_that_of_the_next_request),
        REQUEST_TEST(late_reply__when_bad__is_not_that_of_the_next_request),
        REQUEST_TEST(late_reply__when_there_are_some__are_all_skipped),
        REQUEST_TEST(late_reply__when_the_next_request_is_not_sent__is_skipped),
        REQUEST_TEST(late_reply__when_a_notification_comes_next__is_skipped),
        REQUEST_TEST(request__when_it_cannot_be_sent__fails_at_once),
        REQUEST_TEST(request__when_refused__is_the_only_one_that_fails),
        REQUEST_TEST(request__when_the_socket_has_an_error__still_gets_its_reply),
        REQUEST_TEST(request__when_reading_always_fails__fails),
        REQUEST_TEST(request__when_the_device_is_gone__is_fatal),
        REQUEST_TEST(new_peer__when_its_reply_is_lost__is_deleted_again),
        REQUEST_TEST(new_peer__when_refused__is_not_deleted),
    };

    return cmocka_run_group_tests_name("dco_request", tests, NULL, NULL);
}

#endif /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) */
