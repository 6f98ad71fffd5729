/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Unit tests of dco_linux.c: a message that is none for us costs no other one of
 * its datagram, whatever is wrong with it.
 */

#include "mock_main.h"

#if defined(ENABLE_DCO) && defined(TARGET_LINUX)

#include "mock_msg.h"
#include "mock_openvpn.h"

static void
test_bad_message(void **state)
{
    const struct bad_message *bad = *state;
    static struct batch batch;

    for (int place = 0; place < 3; ++place)
    {
        n_processed = 0;
        connect_clients(20);
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
    }
}

static void
read__when_a_datagram_is_empty__goes_past_it(void **state)
{
    multicast_expired(0, 1, true);
    multicast_datagram(0, NULL, 0);
    multicast_datagram(0, NULL, 0);
    multicast_expired(1, 1, true);
    run_event_loop();
    assert_expired(0, 2);
}

static void
read__when_a_datagram_is_too_large__warns_and_goes_on(void **state)
{
    static uint8_t zeros[2 * BATCH_SIZE];

    multicast_datagram(0, zeros, sizeof(zeros));
    multicast_expired(0, 2, false);
    run_event_loop();
    assert_expired(0, 2);
    assert_int_equal(warned, 1);
}

/* which the event loop is woken with while peers are checked */
static void
ack__when_it_wakes_the_event_loop__is_no_message(void **state)
{
    connect_clients(3);
    multicast_error(ENOBUFS);
    dco_read(&tuntap.dco);
    assert_int_equal(kernel.n_noops, 1);
    mock_set_debug_level(3);
    logged = 0;
    run_event_loop();
    assert_int_equal(kernel.n_requests, 3);
    assert_int_equal(n_processed, 0);
    assert_int_equal(logged, 0);
}

#define BAD_CASE(name, ...)                                              \
    SERVER_CASE("bad_message__when_" name "__costs_no_other",               \
                test_bad_message, BAD_MESSAGE(__VA_ARGS__))

int
run_cases(void)
{
    const struct CMUnitTest tests[] = {
        BAD_CASE("without_attributes", 0),
        BAD_CASE("without_ifindex", .attrs = ALL_ATTRS & ~IFINDEX_ATTR),
        BAD_CASE("ifindex_is_empty", .attrs = ALL_ATTRS, .empty = IFINDEX_ATTR),
        BAD_CASE("ifindex_is_foreign", .attrs = ALL_ATTRS, .ifindex = IFINDEX + 1),
        BAD_CASE("without_del_peer", .attrs = IFINDEX_ATTR),
        BAD_CASE("del_peer_is_empty", .attrs = ALL_ATTRS, .empty = DEL_PEER_ATTR),
        BAD_CASE("del_peer_is_too_long", .attrs = ALL_ATTRS, .nested_len = 200),
        BAD_CASE("without_reason", .attrs = ALL_ATTRS & ~REASON_ATTR),
        BAD_CASE("reason_is_empty", .attrs = ALL_ATTRS, .empty = REASON_ATTR),
        BAD_CASE("without_peer_id", .attrs = ALL_ATTRS & ~PEER_ID_ATTR),
        BAD_CASE("peer_id_is_empty", .attrs = ALL_ATTRS, .empty = PEER_ID_ATTR),
        BAD_CASE("peer_id_is_over_24_bits", .attrs = ALL_ATTRS, .peer_id = MAX_PEER_ID + 1),
        BAD_CASE("peer_id_is_minus_1", .attrs = ALL_ATTRS, .peer_id = 0xffffffff),
        BAD_CASE("command_is_unknown", .attrs = ALL_ATTRS, .cmd = 200),
        BAD_CASE("command_is_get_peer", .attrs = ALL_ATTRS, .cmd = OVPN_CMD_GET_PEER),
        BAD_CASE("family_is_foreign", .attrs = ALL_ATTRS, .type = FAMILY_ID + 1),
        BAD_CASE("type_is_noop", .attrs = ALL_ATTRS, .type = NLMSG_NOOP),
        BAD_CASE("type_is_error", .attrs = ALL_ATTRS, .type = NLMSG_ERROR),
        BAD_CASE("type_is_short_error", .type = NLMSG_ERROR),
        BAD_CASE("type_is_done", .attrs = ALL_ATTRS, .type = NLMSG_DONE),
        BAD_CASE("type_is_overrun", .attrs = ALL_ATTRS, .type = NLMSG_OVERRUN),
        BAD_CASE("without_genl_header", .cut = GENL_HDRLEN + NLA_HDRLEN + 4),
        SERVER_CASE("notification__when_flagged_multipart__is_processed",
                    test_flags, FLAG_CASE(NLM_F_MULTI, 0)),
        SERVER_CASE("notification__when_flagged_interrupted_dump__is_processed",
                    test_flags, FLAG_CASE(0x10 /* NLM_F_DUMP_INTR */, 0)),
        SERVER_TEST(read__when_a_datagram_is_empty__goes_past_it),
        SERVER_TEST(read__when_a_datagram_is_too_large__warns_and_goes_on),
        SERVER_TEST(ack__when_it_wakes_the_event_loop__is_no_message),
    };

    return cmocka_run_group_tests_name("dco_malformed", tests, NULL, NULL);
}

#endif /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) */
