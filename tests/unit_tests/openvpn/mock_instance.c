/* SPDX-License-Identifier: GPL-2.0-only */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "syshead.h"

#if defined(ENABLE_DCO) && defined(TARGET_LINUX)

#include "mock_instance.h"

#include "env_set.h"
#include "init.h"
#include "plugin.h"
#include "socket.h"

struct signal_info instance_signal[N_CLIENTS];
struct closed_instance closed[2 * N_CLIENTS];
int n_closed;
int n_told;
int client_connect = -1;

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
setenv_trusted(struct env_set *es, const struct link_socket_info *info)
{
}

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

bool
ifconfig_pool_release(struct ifconfig_pool *pool, ifconfig_pool_handle hand, const bool hard)
{
    return false;
}

const char *
format_common_name(struct context *c, struct gc_arena *arena)
{
    return "";
}

/*
 * Instances
 */

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
