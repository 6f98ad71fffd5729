/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Unit tests of the routes that the kernel has for the networks behind clients.
 *
 * dco.c, list.c and mroute.c are the real ones, the kernel's table is a model.
 */

#include "mock_main.h"

#if defined(ENABLE_DCO) && (defined(TARGET_LINUX) || defined(TARGET_FREEBSD))

#include "dco.h"
#include "multi.h"
#include "networking.h"
#include "openvpn.h"
#include "route.h"
#include "tun.h"

/* 10.9.0.0/24 and fd09::/64 are behind the client */
#define NETWORK4    0x0a090000
#define NETWORK6    { .s6_addr = { 0xfd, 0x09 } }

static struct multi_context multi;
static struct tuntap tuntap;
static struct iroute iroute = { .network = NETWORK4, .netbits = 24 };
static struct iroute_ipv6 iroute_ipv6 = { .network = NETWORK6, .netbits = 64 };

/* the client's instances, the later one last, and what multi_learn_addr() makes */
static struct multi_instance first, second;
static struct multi_route learned[4];
static int n_learned;

/* the kernel's routes to the client's network: the gateways' last bytes */
static bool has_route4[256], has_route6[256];

static int
add(bool *has_route)
{
    const int ret = *has_route ? -EEXIST : 0;

    *has_route = true;
    return ret;
}

static int
del(bool *has_route)
{
    const int ret = *has_route ? 0 : -ESRCH;

    *has_route = false;
    return ret;
}

int
net_route_v4_add(openvpn_net_ctx_t *ctx, const in_addr_t *dst, int prefixlen,
                 const in_addr_t *gw, const char *iface, uint32_t table, int metric)
{
    assert_int_equal(*dst, NETWORK4);
    return add(&has_route4[*gw & 0xff]);
}

int
net_route_v4_del(openvpn_net_ctx_t *ctx, const in_addr_t *dst, int prefixlen,
                 const in_addr_t *gw, const char *iface, uint32_t table, int metric)
{
    assert_int_equal(*dst, NETWORK4);
    return del(&has_route4[*gw & 0xff]);
}

int
net_route_v6_add(openvpn_net_ctx_t *ctx, const struct in6_addr *dst, int prefixlen,
                 const struct in6_addr *gw, const char *iface, uint32_t table, int metric)
{
    return add(&has_route6[gw->s6_addr[15]]);
}

int
net_route_v6_del(openvpn_net_ctx_t *ctx, const struct in6_addr *dst, int prefixlen,
                 const struct in6_addr *gw, const char *iface, uint32_t table, int metric)
{
    return del(&has_route6[gw->s6_addr[15]]);
}

/** multi_learn_addr(): the address is that instance's from now on. */
static void
learn(struct multi_instance *mi, const struct mroute_addr *addr)
{
    struct multi_route *route = &learned[n_learned++];

    *route = (struct multi_route) { .addr = *addr, .instance = mi };
    hash_remove(multi.vhash, &route->addr);
    assert_true(hash_add(multi.vhash, &route->addr, route, false));
}

/** An instance of the client is connected, with these addresses, 0: none. */
static void
add_client(struct multi_instance *mi, int address4, int address6)
{
    struct context *c = &mi->context;
    struct mroute_addr addr = { .type = MR_ADDR_IPV4, .len = 4 };

    c->c1.tuntap = &tuntap;
    c->options.iroutes = &iroute;
    c->options.iroutes_ipv6 = &iroute_ipv6;
    if (address4)
    {
        c->c2.push_ifconfig_defined = true;
        c->c2.push_ifconfig_local = 0x0a080000 + address4;
        addr.v4.addr = htonl(c->c2.push_ifconfig_local);
        learn(mi, &addr);
        addr.v4.addr = htonl(NETWORK4);
        addr.netbits = 24;
        dco_install_iroute(&multi, mi, &addr);
    }
    if (address6)
    {
        c->c2.push_ifconfig_ipv6_defined = true;
        c->c2.push_ifconfig_ipv6_local = (struct in6_addr) { .s6_addr = { [15] = address6 } };
        addr = (struct mroute_addr) { .type = MR_ADDR_IPV6, .len = 16,
                                      .v6.addr = c->c2.push_ifconfig_ipv6_local };
        learn(mi, &addr);
        addr.v6.addr = iroute_ipv6.network;
        addr.netbits = 64;
        dco_install_iroute(&multi, mi, &addr);
    }
}

/** multi_close_instance() */
static void
remove_client(struct multi_instance *mi)
{
    mi->halt = true;
    dco_delete_iroutes(&multi, mi);
}

static int
setup(void **state)
{
    CLEAR(multi);
    CLEAR(first);
    CLEAR(second);
    CLEAR(has_route4);
    CLEAR(has_route6);
    n_learned = 0;
    tuntap.type = DEV_TYPE_TUN;
    multi.vhash = hash_init(256, 0, mroute_addr_hash_function, mroute_addr_compare_function);
    return 0;
}

static int
teardown(void **state)
{
    hash_free(multi.vhash);
    return 0;
}

static void
route__when_its_client_goes__goes(void **state)
{
    add_client(&first, 1, 1);
    assert_true(has_route4[1] && has_route6[1]);
    remove_client(&first);
    assert_false(has_route4[1] || has_route6[1]);
}

/* its addresses were forgotten: multi_reap_range() */
static void
route__when_nobody_has_its_address__goes(void **state)
{
    add_client(&first, 1, 1);
    hash_remove(multi.vhash, &learned[0].addr);
    hash_remove(multi.vhash, &learned[1].addr);
    remove_client(&first);
    assert_false(has_route4[1] || has_route6[1]);
}

static void
route__when_its_client_is_back_with_its_address__stays(void **state)
{
    add_client(&first, 1, 1);
    add_client(&second, 1, 1);
    remove_client(&first);
    assert_true(has_route4[1] && has_route6[1]);
    remove_client(&second);
    assert_false(has_route4[1] || has_route6[1]);
}

static void
route__when_its_client_is_back_with_one_address__stays_in_that_family(void **state)
{
    add_client(&first, 1, 1);
    add_client(&second, 1, 2);
    remove_client(&first);
    assert_true(has_route4[1] && !has_route6[1] && has_route6[2]);

    teardown(state);
    setup(state);
    add_client(&first, 1, 1);
    add_client(&second, 2, 1);
    remove_client(&first);
    assert_true(!has_route4[1] && has_route4[2] && has_route6[1]);
}

static void
route__when_its_client_is_back_with_another_address__goes(void **state)
{
    add_client(&first, 1, 1);
    add_client(&second, 2, 2);
    remove_client(&first);
    assert_false(has_route4[1] || has_route6[1]);
    assert_true(has_route4[2] && has_route6[2]);
}

static void
route__when_its_client_was_back_and_is_gone__goes(void **state)
{
    add_client(&first, 1, 1);
    add_client(&second, 1, 1);
    second.halt = true;
    remove_client(&first);
    assert_false(has_route4[1] || has_route6[1]);
}

#define IROUTE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
run_cases(void)
{
    const struct CMUnitTest tests[] = {
        IROUTE_TEST(route__when_its_client_goes__goes),
        IROUTE_TEST(route__when_nobody_has_its_address__goes),
        IROUTE_TEST(route__when_its_client_is_back_with_its_address__stays),
        IROUTE_TEST(route__when_its_client_is_back_with_one_address__stays_in_that_family),
        IROUTE_TEST(route__when_its_client_is_back_with_another_address__goes),
        IROUTE_TEST(route__when_its_client_was_back_and_is_gone__goes),
    };

    return cmocka_run_group_tests_name("dco_iroute", tests, NULL, NULL);
}

#endif /* if defined(ENABLE_DCO) && (defined(TARGET_LINUX) || defined(TARGET_FREEBSD)) */
