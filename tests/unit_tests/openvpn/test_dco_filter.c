/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Unit tests of dco_linux.c: the socket filter, by which the kernel drops the
 * notifications of other interfaces.  The kernel runs it on any socket, here on
 * a pair of our own.
 */

#include "mock_main.h"

#if defined(ENABLE_DCO) && defined(TARGET_LINUX)

#include "mock_openvpn.h"

#include <linux/filter.h>
#include <sys/syscall.h>

/* the filter that was attached, and whether it was when the group was joined:
 * what has come before that stays */
static struct sock_filter filter[BPF_MAXINSNS];
static int filter_len;
static bool filtered_in_time;

/* whether it cannot be attached */
static bool refused;

static int pair[2];

/* the datagram that is built */
static struct batch batch;

static int
keep_filter(int level, int name, const void *value, socklen_t len)
{
    if (level == SOL_NETLINK && name == NETLINK_ADD_MEMBERSHIP)
    {
        filtered_in_time = filter_len > 0;
    }
    if (level == SOL_SOCKET && name == SO_ATTACH_FILTER)
    {
        const struct sock_fprog *fprog = value;

        if (refused)
        {
            return ENOMEM;
        }
        assert_int_equal(len, sizeof(*fprog));
        assert_in_range(fprog->len, 1, BPF_MAXINSNS);
        memcpy(filter, fprog->filter, fprog->len * sizeof(filter[0]));
        filter_len = fprog->len;
    }
    return 0;
}

static int
setup(void **state)
{
    reset(CM_TOP);
    refused = *state != NULL;
    filter_len = 0;
    kernel.on_setsockopt = keep_filter;
    open_device();
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
    return 0;
}

static int
teardown_pair(void **state)
{
    close(pair[0]);
    close(pair[1]);
    return teardown(state);
}

/* not by setsockopt(), which is ours */
static void
attach(void)
{
    const struct sock_fprog fprog = { .len = filter_len, .filter = filter };

    assert_in_range(filter_len, 1, BPF_MAXINSNS);
#ifdef SYS_setsockopt
    if (syscall(SYS_setsockopt, pair[1], SOL_SOCKET, SO_ATTACH_FILTER, &fprog,
                sizeof(fprog)))
    {
        /* as in a sandbox; EINVAL is a bad program */
        assert_int_not_equal(errno, EINVAL);
        skip();
    }
#else  /* ifdef SYS_setsockopt */
    skip();
#endif
}

static bool
passes(void)
{
    static uint8_t buffer[BATCH_SIZE];

    assert_int_equal(send(pair[0], batch.data, batch.len, 0), batch.len);
    ssize_t received = recv(pair[1], buffer, sizeof(buffer), MSG_DONTWAIT);
    assert_true(received == (ssize_t)batch.len || (received == -1 && errno == EAGAIN));
    return received != -1;
}

static void
fail_dump(const char *what)
{
    char dump[3 * 64 + 1] = "";

    for (size_t i = 0; i < batch.len && i < 64; ++i)
    {
        snprintf(dump + 3 * i, 4, " %02x", batch.data[i]);
    }
    fail_msg("%s:%s", what, dump);
}

/** Check whether the datagram passes the filter, and empty it. */
static void
assert_passes(bool expected)
{
    if (passes() != expected)
    {
        fail_dump(expected ? "the filter has dropped" : "the filter has let pass");
    }
    batch.len = 0;
}

static void
filter__when_the_group_is_joined__is_attached(void **state)
{
    assert_true(filtered_in_time);
}

static void
filter__when_of_this_interface__passes(void **state)
{
    attach();
    for (int i = 0; i < __OVPN_DEL_PEER_REASON_AFTER_LAST; ++i)
    {
        del_peer(&batch, 1, i);
        assert_passes(true);
        del_peer(&batch, MAX_PEER_ID, i);
        assert_passes(true);
    }
}

static void
filter__when_of_another_interface__drops(void **state)
{
    const uint32_t other[] = { IFINDEX - 1, IFINDEX + 1, IFINDEX << 8, IFINDEX << 16,
                               (uint32_t)IFINDEX << 24, IFINDEX | 1 << 8,
                               IFINDEX | 1 << 16, IFINDEX | 1U << 31, UINT32_MAX };
    attach();
    for (size_t i = 0; i < SIZE(other); ++i)
    {
        add_bad_message(&batch, BAD_MESSAGE(.attrs = ALL_ATTRS, .ifindex = other[i]));
        assert_passes(false);
    }
}

static void
filter__when_the_message_is_long__drops_it_all_the_same(void **state)
{
    attach();
    for (int len = 64; len <= 4096; len *= 2)
    {
        add_bad_message(&batch, BAD_MESSAGE(.attrs = ALL_ATTRS, .ifindex = 6));
        struct nlattr *attr = (struct nlattr *)(batch.data + batch.len);
        attr->nla_len = len;
        attr->nla_type = OVPN_ATTR_UNSPEC;
        batch.len += len;
        ((struct nlmsghdr *)batch.data)->nlmsg_len = batch.len;
        assert_passes(false);
    }
}

static void
filter__when_it_is_something_else__passes(void **state)
{
    attach();
    for (int cmd = OVPN_CMD_UNSPEC + 1; cmd < 256; ++cmd)
    {
        if (cmd != OVPN_CMD_DEL_PEER)
        {
            add_bad_message(&batch, BAD_MESSAGE(.attrs = ALL_ATTRS, .ifindex = 6, .cmd = cmd));
            assert_passes(true);
        }
    }
    add_bad_message(&batch, BAD_MESSAGE(.attrs = ALL_ATTRS, .ifindex = 6, .type = FAMILY_ID + 1));
    assert_passes(true);
    add_bad_message(&batch, BAD_MESSAGE(.attrs = ALL_ATTRS, .ifindex = 6, .type = FAMILY_ID << 8));
    assert_passes(true);
    add_bad_message(&batch, BAD_MESSAGE(.attrs = ALL_ATTRS & ~IFINDEX_ATTR));
    assert_passes(true);
}

static void
filter__when_there_are_several_in_a_datagram__passes(void **state)
{
    attach();
    for (int n = 2; n <= 1024; n *= 2)
    {
        for (int i = 0; i < n; ++i)
        {
            add_bad_message(&batch, BAD_MESSAGE(.attrs = ALL_ATTRS, .ifindex = 6));
        }
        assert_passes(true);
    }
    add_bad_message(&batch, BAD_MESSAGE(.attrs = ALL_ATTRS, .ifindex = 6));
    del_peer(&batch, 1, OVPN_DEL_PEER_REASON_EXPIRED);
    assert_passes(true);
}

/* whatever comes: what the filter drops, dco_do_read() would ignore */
static void
filter__when_messages_are_mutated__drops_none_that_counts(void **state)
{
    uint32_t random = 1;
    int dropped = 0, counted = 0;

    attach();
    for (int i = 0; i < 20000; ++i)
    {
        random = random * 1664525 + 1013904223;
        add_bad_message(&batch, BAD_MESSAGE(.attrs = ALL_ATTRS,
                                            .ifindex = IFINDEX + (random >> 31)));
        if (random & 1 << 30)
        {
            del_peer(&batch, 11, OVPN_DEL_PEER_REASON_EXPIRED);
        }
        /* up to three bytes of it, and its end */
        for (uint32_t n = random >> 16 & 3; n; --n)
        {
            random = random * 1664525 + 1013904223;
            batch.data[(random >> 8) % batch.len] = random >> 24 & (random & 1 << 7 ? 0xff : 0x0f);
        }
        random = random * 1664525 + 1013904223;
        if (!(random >> 29))
        {
            batch.len = (random >> 8) % batch.len + 1;
        }

        n_processed = 0;
        const bool passed = passes();
        multicast_datagram(0, batch.data, batch.len);
        run_event_loop();
        if (!passed && n_processed)
        {
            fail_dump("the filter has dropped");
        }
        dropped += !passed;
        counted += n_processed > 0;
        for (int j = 0; j < n_processed; ++j)
        {
            connect_client(processed[j].peer_id);
        }
        CLEAR(kernel.gone);
        batch.len = 0;
    }
    /* or this would prove nothing */
    assert_in_range(dropped, 1000, 20000);
    assert_in_range(counted, 1000, 20000);
}

static void
filter__when_it_cannot_be_attached__is_done_without(void **state)
{
    const int warned_without = warned_opening;

    assert_int_equal(filter_len, 0);
    add_bad_message(&batch, BAD_MESSAGE(.attrs = ALL_ATTRS, .ifindex = 6));
    multicast(&batch);
    multicast_expired(10, 2, false);
    run_event_loop();
    assert_expired(10, 2);
    assert_int_equal(warned, 0);

    /* and no more is said about it by default than otherwise */
    close_tun_dco(&tuntap, NULL);
    refused = false;
    open_device();
    assert_int_equal(warned_opening, warned_without);
}

#define FILTER_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown_pair)

int
run_cases(void)
{
    const struct CMUnitTest tests[] = {
        FILTER_TEST(filter__when_the_group_is_joined__is_attached),
        FILTER_TEST(filter__when_of_this_interface__passes),
        FILTER_TEST(filter__when_of_another_interface__drops),
        FILTER_TEST(filter__when_the_message_is_long__drops_it_all_the_same),
        FILTER_TEST(filter__when_it_is_something_else__passes),
        FILTER_TEST(filter__when_there_are_several_in_a_datagram__passes),
        FILTER_TEST(filter__when_messages_are_mutated__drops_none_that_counts),
        { "filter__when_it_cannot_be_attached__is_done_without",
          filter__when_it_cannot_be_attached__is_done_without,
          setup, teardown_pair, &refused },
    };

    return cmocka_run_group_tests_name("dco_filter", tests, NULL, NULL);
}

#endif /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) */
