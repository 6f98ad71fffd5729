/* SPDX-License-Identifier: GPL-2.0-only */

#include "mock_main.h"

#if defined(ENABLE_DCO) && defined(TARGET_LINUX)

#include "mock_instance.h"

#include "env_set.h"
#include "init.h"
#include "list.h"
#include "mbuf.h"
#include "plugin.h"
#include "schedule.h"
#include "socket.h"
#include "ssl.h"

struct signal_info instance_signal[N_CLIENTS];
struct closed_instance closed[2 * N_CLIENTS];
int n_closed;
int n_told;
int client_connect = -1;
struct refused refused;
int ping_restart;

static struct gc_arena gc;
static struct link_socket_info link_socket_info;

/*
 * What multi.c and ping.c call
 */

#ifdef ENABLE_PLUGIN
bool
plugin_defined(const struct plugin_list *pl, const int type)
{
    return type == OPENVPN_PLUGIN_CLIENT_DISCONNECT
           || (client_connect >= 0 && (type == OPENVPN_PLUGIN_CLIENT_CONNECT_V2
                                       || type == OPENVPN_PLUGIN_CLIENT_CONNECT_DEFER_V2));
}

static long long
env_number(const struct env_set *es, const char *name)
{
    const char *value = env_set_get(es, name);

    assert_non_null(value);
    value = strchr(value, '=');
    assert_non_null(value);
    return atoll(value + 1);
}

int
plugin_call_ssl(const struct plugin_list *pl, const int type, const struct argv *av,
                struct plugin_return *pr, struct env_set *es, int current_cert_depth,
                openvpn_x509_cert_t *current_cert)
{
    if (type != OPENVPN_PLUGIN_CLIENT_DISCONNECT)
    {
        return client_connect;
    }
    assert_in_range(n_closed, 0, SIZE(closed) - 1);
    closed[n_closed].received = env_number(es, "bytes_received");
    closed[n_closed].sent = env_number(es, "bytes_sent");
    ++n_told;
    return OPENVPN_PLUGIN_FUNC_SUCCESS;
}
#endif /* ifdef ENABLE_PLUGIN */

void
close_context(struct context *c, int sig, unsigned int flags)
{
    if (c->mode == CM_CHILD_UDP)
    {
        assert_in_range(n_closed, 0, SIZE(closed) - 1);
        closed[n_closed].mi = (const struct multi_instance *)
                              ((char *)c - offsetof(struct multi_instance, context));
        ++n_closed;
    }
}

/*
 * What multi.c calls to set up a client. A driver that has the real ones takes those.
 */

int __attribute__((weak))
dco_multi_add_new_peer(struct multi_context *m, struct multi_instance *mi)
{
    if (refused.peer)
    {
        return -ENOMEM;
    }
    mi->context.c2.tls_multi->dco_peer_id = mi->context.c2.tls_multi->peer_id;
    return 0;
}

bool __attribute__((weak))
dco_check_option(int msglevel, const struct options *o)
{
    return !refused.options;
}

bool __attribute__((weak))
tls_session_update_crypto_params(struct tls_multi *multi, struct tls_session *session,
                                 struct options *options, struct frame *frame,
                                 struct frame *frame_fragment, struct link_socket_info *lsi)
{
    return !refused.keys;
}

int __attribute__((weak))
dev_type_enum(const char *dev, const char *dev_type)
{
    return DEV_TYPE_TUN;
}

unsigned int __attribute__((weak))
extract_iv_proto(const char *peer_info)
{
    return IV_PROTO_DATA_V2;
}

#ifdef ENABLE_PLUGIN
void __attribute__((weak))
plugin_return_get_column(const struct plugin_return *src, struct plugin_return *dest,
                         const char *colname)
{
    CLEAR(*dest);
}
#endif /* ifdef ENABLE_PLUGIN */

/*
 * What multi.c calls to make an instance
 */

void
inherit_context_child(struct context *c, const struct context *src)
{
    static struct signal_info signal;
    static struct tls_multi tls;

    CLEAR(*c);
    CLEAR(signal);
    CLEAR(tls);
    c->options.duplicate_cn = true;
    c->options.ping_rec_timeout = ping_restart;
    c->options.ping_rec_timeout_action = PING_RESTART;
    c->sig = &signal;
    c->c1.tuntap = src->c1.tuntap;
    c->c2.tls_multi = &tls;
    c->c2.link_socket_info = &link_socket_info;
    c->c2.es = env_set_create(&gc);
    c->c2.occ_op = -1;
    tls.peer_id = MAX_PEER_ID;
    tls.dco_peer_id = -1;
    tls.session[TM_ACTIVE].key[KS_PRIMARY].crypto_options.key_ctx_bi.initialized = true;

    /* as do_init_timers() */
    event_timeout_init(&c->c2.wait_for_connect, 1, now);
}

void __attribute__((weak))
mroute_addr_init(struct mroute_addr *addr)
{
    CLEAR(*addr);
}

static uint32_t
hash_key(const void *key, uint32_t iv)
{
    return 0;
}

static bool
same_key(const void *a, const void *b)
{
    return a == b;
}

/*
 * Instances
 */

int
setup_instances(void **state)
{
    setup_server(state);
    CLEAR(multi_context.top);
    multi_context.top.mode = CM_TOP_CLONE;
    multi_context.top.sig = &signal_info;
    multi_context.top.c1.tuntap = &tuntap;
    multi_context.schedule = schedule_init();
    multi_context.mbuf = mbuf_init(1);
    multi_context.hash = hash_init(1, 0, hash_key, same_key);
    multi_context.iter = hash_init(1, 0, hash_key, same_key);
#ifdef ENABLE_MANAGEMENT
    multi_context.cid_hash = hash_init(1, 0, hash_key, same_key);
#endif
    ping_restart = 0;
    connect_instances(&multi_context);
    return 0;
}

int
teardown_instances(void **state)
{
    schedule_free(multi_context.schedule);
    mbuf_free(multi_context.mbuf);
    hash_free(multi_context.hash);
    hash_free(multi_context.iter);
#ifdef ENABLE_MANAGEMENT
    hash_free(multi_context.cid_hash);
#endif
    free_instances();
    CLEAR(multi_context);
    return teardown(state);
}

int
setup_newcomer(void **state)
{
    setup_instances(state);
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

int
teardown_newcomer(void **state)
{
    client_connect = -1;
    return teardown_instances(state);
}

void
set_up(void)
{
    multi_process_post(&multi_context, &instance[NEWCOMER], MPP_PRE_SELECT|MPP_CLOSE_ON_SIGNAL);
}

struct multi_instance *
come(void)
{
    static uint32_t n;
    const struct mroute_addr real = { .len = 4, .v4.addr = ++n };

    return multi_create_instance(&multi_context, &real);
}

void
run_timers(int seconds)
{
    const time_t end = now + seconds;

    while (now < end)
    {
        struct timeval timeout;
        multi_get_timeout(&multi_context, &timeout);
        const int left = (int)(end - now);
        spend(timeout.tv_sec < left ? (int)timeout.tv_sec * 1000 + (int)timeout.tv_usec / 1000 + 1 : left * 1000);
        update_time();
        if (timeout.tv_sec < left)
        {
            multi_process_timeout(&multi_context, MPP_PRE_SELECT|MPP_CLOSE_ON_SIGNAL);
        }
    }
}

void
connect_instances(struct multi_context *m)
{
    n_closed = n_told = 0;
    CLEAR(closed);
    CLEAR(instance_signal);
    for (int i = 0; i < N_CLIENTS; ++i)
    {
        struct multi_instance *mi = &instance[i];
        struct context *c = &mi->context;

        connect_client(i);
        instance_tls[i].peer_id = i;
        instance_tls[i].multi_state = CAS_CONNECT_DONE;
        mi->refcount = 2;       /* it is not to be freed */
        mi->vaddr_handle = -1;
#ifdef ENABLE_ASYNC_PUSH
        mi->inotify_watch = -1;
#endif
        c->mode = CM_CHILD_UDP;
        c->sig = &instance_signal[i];
        c->c2.link_socket_info = &link_socket_info;
        c->c2.es = env_set_create(&gc);
        c->c2.link_read_bytes = LINK_READ;
        c->c2.link_write_bytes = LINK_WRITTEN;
        c->c2.dco_read_bytes = POLLED_READ;
        c->c2.dco_write_bytes = POLLED_WRITTEN;
        m->instances[i] = mi;
    }
}

void
free_instances(void)
{
    gc_free(&gc);
}

void
assert_only_closed(int first, int n)
{
    assert_int_equal(n_closed, n);
    for (int i = 0; i < N_CLIENTS; ++i)
    {
        const struct multi_instance *mi = &instance[i];
        const bool is_closed = i >= first && i < first + n;

        assert_int_equal(mi->halt, is_closed);
        assert_int_equal(mi->refcount, is_closed ? 1 : 2);
        assert_int_equal(mi->context.sig->signal_received, is_closed ? SIGTERM : 0);
        if (!is_closed && kernel.n_get_peer[i] == 0)
        {
            assert_int_equal(mi->context.c2.dco_read_bytes, POLLED_READ);
            assert_int_equal(mi->context.c2.dco_write_bytes, POLLED_WRITTEN);
        }
    }
}

#endif /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) */
