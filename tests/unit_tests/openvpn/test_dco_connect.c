/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Unit tests of what the client-disconnect plugin is told about a client that goes,
 * or is refused, while it is set up: the same as the script is told.
 *
 * multi.c, forward.c, dco_linux.c and sig.c are the real ones.  They need nearly
 * all of OpenVPN: the linker drops the functions that nothing here calls
 * (-ffunction-sections, --gc-sections), mock_unused.c has those that are left.
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "syshead.h"

#if defined(ENABLE_DCO) && defined(TARGET_LINUX) && defined(ENABLE_PLUGIN)

#include "mock_instance.h"
#include "mock_netlink.h"
#include "mock_openvpn.h"

#include "comp.h"
#include "forward.h"
#include "mbuf.h"
#include "mroute.h"
#include "plugin.h"
#include "push.h"
#include "schedule.h"
#include "ssl.h"

/* the client that is set up */
#define NEWCOMER    7

/* what it is refused for */
static struct
{
    bool options;               /* by the options that its client-connect set */
    bool peer;                  /* by the kernel, when it is added */
    bool keys;                  /* its keys can't be made, or are refused */
} refused;

/*
 * What multi.c calls to set up a client
 */

int
dco_multi_add_new_peer(struct multi_context *m, struct multi_instance *mi)
{
    if (refused.peer)
    {
        return -ENOMEM;
    }
    mi->context.c2.tls_multi->dco_peer_id = mi->context.c2.tls_multi->peer_id;
    return 0;
}

void
dco_delete_iroutes(struct multi_context *m, struct multi_instance *mi)
{
}

bool
dco_update_keys(dco_context_t *dco, struct tls_multi *multi)
{
    return true;
}

bool
dco_check_option(int msglevel, const struct options *o)
{
    return !refused.options;
}

bool
check_compression_settings_valid(struct compress_options *info, int msglevel)
{
    return true;
}

bool
tls_session_update_crypto_params(struct tls_multi *multi, struct tls_session *session,
                                 struct options *options, struct frame *frame,
                                 struct frame *frame_fragment, struct link_socket_info *lsi)
{
    return !refused.keys;
}

int
tls_multi_process(struct tls_multi *multi, struct buffer *to_link,
                  struct link_socket_actual **to_link_addr,
                  struct link_socket_info *to_link_socket_info, interval_t *wakeup)
{
    return TLSMP_INACTIVE;
}

unsigned int
extract_iv_proto(const char *peer_info)
{
    return IV_PROTO_DATA_V2;
}

const char *
tls_common_name(const struct tls_multi *multi, const bool null)
{
    return "";
}

const char *
mroute_addr_print(const struct mroute_addr *ma, struct gc_arena *gc)
{
    return "";
}

bool
do_deferred_options(struct context *c, const unsigned int found)
{
    return true;
}

void
remove_iroutes_from_push_route_list(struct options *o)
{
}

void
tls_lock_common_name(struct tls_multi *multi)
{
}

void
tls_lock_cert_hash_set(struct tls_multi *multi)
{
}

void
plugin_return_get_column(const struct plugin_return *src, struct plugin_return *dest,
                         const char *colname)
{
    CLEAR(*dest);
}

void
plugin_return_free(struct plugin_return *pr)
{
}

/*
 * Setup of a case
 */

static int
setup(void **state)
{
    setup_server(state);
    CLEAR(multi_context.top);
    multi_context.top.mode = CM_TOP_CLONE;
    multi_context.top.sig = &signal_info;
    multi_context.top.c1.tuntap = &tuntap;
    multi_context.schedule = schedule_init();
    multi_context.mbuf = mbuf_init(1);
    connect_instances(&multi_context);
    CLEAR(refused);
    client_connect = OPENVPN_PLUGIN_FUNC_SUCCESS;

    struct context *c = &instance[NEWCOMER].context;
    c->options.duplicate_cn = true;
    c->c2.coarse_timer_wakeup = now + 3600;
    c->c2.occ_op = -1;
    instance_tls[NEWCOMER].dco_peer_id = -1;
    instance_tls[NEWCOMER].multi_state = CAS_PENDING;
    instance_tls[NEWCOMER].session[TM_ACTIVE].key[KS_PRIMARY].crypto_options.key_ctx_bi.initialized = true;
    return 0;
}

static int
teardown_connect(void **state)
{
    schedule_free(multi_context.schedule);
    mbuf_free(multi_context.mbuf);
    client_connect = -1;
    free_instances();
    CLEAR(multi_context);
    return teardown(state);
}

/** Let the server go on with the set-up of the client. */
static void
set_up(void)
{
    multi_process_post(&multi_context, &instance[NEWCOMER], MPP_PRE_SELECT|MPP_CLOSE_ON_SIGNAL);
}

/** The client goes, in one of the ways that there are. */
static void
go(void)
{
    instance_signal[NEWCOMER].signal_received = SIGTERM;
    multi_close_instance_on_signal(&multi_context, &instance[NEWCOMER]);
}

/** Check that the plugin was told once that it is gone, but not before it was. */
static void
assert_told_when_it_goes(void)
{
    assert_int_equal(n_closed, 0);
    assert_int_equal(n_told, 0);
    go();
    assert_int_equal(n_closed, 1);
    assert_int_equal(n_told, 1);
}

/*
 * Cases
 */

static void
client__when_set_up__is_told_to_be_gone(void **state)
{
    set_up();
    assert_int_equal(instance_tls[NEWCOMER].multi_state, CAS_CONNECT_DONE);
    assert_told_when_it_goes();
}

static void
client__when_its_peer_is_refused__is_told_to_be_gone(void **state)
{
    refused.peer = true;
    set_up();
    assert_int_equal(instance_tls[NEWCOMER].multi_state, CAS_FAILED);
    assert_told_when_it_goes();
}

/* which ends the instance at once */
static void
client__when_its_keys_are_refused__is_told_to_be_gone(void **state)
{
    refused.keys = true;
    set_up();
    assert_int_equal(instance_tls[NEWCOMER].multi_state, CAS_FAILED);
    assert_int_equal(n_closed, 1);
    assert_int_equal(n_told, 1);
}

/* which it is told at once */
static void
client__when_its_options_are_refused__is_told_once(void **state)
{
    refused.options = true;
    set_up();
    assert_int_equal(instance_tls[NEWCOMER].multi_state, CAS_FAILED);
    assert_int_equal(n_told, 1);
    go();
    assert_int_equal(n_closed, 1);
    assert_int_equal(n_told, 1);
}

static void
client__when_refused_without_a_client_connect__is_not_told(void **state)
{
    client_connect = -1;
    refused.peer = true;
    set_up();
    assert_int_equal(instance_tls[NEWCOMER].multi_state, CAS_FAILED);
    go();
    assert_int_equal(n_told, 0);
}

static void
client__when_it_goes_before_it_is_accepted__is_not_told(void **state)
{
    client_connect = OPENVPN_PLUGIN_FUNC_DEFERRED;
    set_up();
    assert_int_equal(instance_tls[NEWCOMER].multi_state, CAS_PENDING_DEFERRED_PARTIAL);
    go();
    assert_int_equal(n_told, 0);
}

/* as another handler may be deferred, or the client connects once more */
static void
client__when_it_goes__is_told_if_it_was_accepted_or_connected(void **state)
{
    const struct
    {
        enum multi_status state;
        bool accepted;
        bool told;
    } clients[] = {
        { CAS_PENDING_DEFERRED_PARTIAL, false, false },
        { CAS_PENDING_DEFERRED_PARTIAL, true, true },
        { CAS_FAILED, false, false },
        { CAS_FAILED, true, true },
        { CAS_RECONNECT_PENDING, false, true },
        { CAS_RECONNECT_PENDING, true, true },
        { CAS_CONNECT_DONE, false, true },
        { CAS_CONNECT_DONE, true, true },
    };

    for (int i = 0; i < (int)SIZE(clients); ++i)
    {
        teardown_connect(state);
        setup(state);
        client_connect = clients[i].accepted ? OPENVPN_PLUGIN_FUNC_SUCCESS : -1;
        set_up();
        instance_tls[NEWCOMER].multi_state = clients[i].state;
        go();
        assert_int_equal(n_told, clients[i].told);
    }
}

#define CONNECT_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown_connect)

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CONNECT_TEST(client__when_set_up__is_told_to_be_gone),
        CONNECT_TEST(client__when_its_peer_is_refused__is_told_to_be_gone),
        CONNECT_TEST(client__when_its_keys_are_refused__is_told_to_be_gone),
        CONNECT_TEST(client__when_its_options_are_refused__is_told_once),
        CONNECT_TEST(client__when_refused_without_a_client_connect__is_not_told),
        CONNECT_TEST(client__when_it_goes_before_it_is_accepted__is_not_told),
        CONNECT_TEST(client__when_it_goes__is_told_if_it_was_accepted_or_connected),
    };

    /* the name of a case, or a pattern, to run no other */
    cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("dco_connect", tests, NULL, NULL);
}

#else  /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) && defined(ENABLE_PLUGIN) */

int
main(void)
{
    return 0;
}

#endif /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) && defined(ENABLE_PLUGIN) */
