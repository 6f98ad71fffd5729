/* SPDX-License-Identifier: GPL-2.0-only */

#include "mock_main.h"

#if defined(ENABLE_DCO) && defined(TARGET_LINUX)

#include "mock_openvpn.h"
#include "mock_msg.h"

#include <sys/wait.h>

#include "errlevel.h"
#include "event.h"
#include "fdmisc.h"
#include "forward.h"
#include "otime.h"
#include "ping.h"

struct context top;
struct tuntap tuntap;
struct signal_info signal_info;
struct tls_multi tls_multi;

struct multi_context multi_context;
struct multi_instance *instances[MAX_CLIENTS];
struct multi_instance instance[MAX_CLIENTS];
struct tls_multi instance_tls[MAX_CLIENTS];

struct notification processed[2 * MAX_CLIENTS];
int n_processed;
void (*on_notification)(void);

int logged, warned, warned_opening;

struct timeval wall_clock = { .tv_sec = 1000000000 };

time_t
time(time_t *t)
{
    if (t)
    {
        *t = wall_clock.tv_sec;
    }
    return wall_clock.tv_sec;
}

int
gettimeofday(struct timeval *tv, void *tz)
{
    *tv = wall_clock;
    return 0;
}

/*
 * What dco_linux.c calls
 */

static void
process(dco_context_t *dco)
{
    assert_ptr_equal(dco, &tuntap.dco);
    assert_int_equal(dco->dco_message_type, OVPN_CMD_DEL_PEER);
    assert_in_range(n_processed, 0, SIZE(processed) - 1);
    processed[n_processed].peer_id = dco->dco_message_peer_id;
    processed[n_processed].reason = dco->dco_del_peer_reason;
    ++n_processed;
    if (on_notification)
    {
        on_notification();
    }
}

void
process_message(void)
{
    if (top.mode == CM_TOP && tuntap.dco.dco_del_peer_reason != OVPN_DEL_PEER_REASON_USERSPACE
        && tuntap.dco.dco_message_peer_id < MAX_CLIENTS)
    {
        instances[tuntap.dco.dco_message_peer_id] = NULL;
    }
    process(&tuntap.dco);
}

/* A driver that has the real ones takes those. Releases with upstream's
 * own fix call one of the two below. Older releases have these names for functions with other arguments,
 * hence the labels. */
void __attribute__((weak))
process_incoming_del_peer(struct multi_context *m, struct multi_instance *mi, dco_context_t *dco)
{
    assert_ptr_equal(m, &multi_context);
    assert_ptr_equal(dco, &tuntap.dco);
    assert_ptr_equal(mi, &instance[dco->dco_message_peer_id]);
    process_message();
}

void __attribute__((weak))
process_for_server(dco_context_t *dco) __asm__ ("multi_process_incoming_dco");

void __attribute__((weak))
process_for_p2p(dco_context_t *dco) __asm__ ("process_incoming_dco");

void
process_for_server(dco_context_t *dco)
{
    assert_ptr_equal(dco, &tuntap.dco);
    process_message();
}

void
process_for_p2p(dco_context_t *dco)
{
    assert_ptr_equal(dco, &tuntap.dco);
    process_message();
}

int
net_iface_new(openvpn_net_ctx_t *ctx, const openvpn_net_iface_t *iface,
              const char *type, void *arg)
{
    return 0;
}

int
net_iface_del(openvpn_net_ctx_t *ctx, const openvpn_net_iface_t *iface)
{
    return 0;
}

const char *
print_sockaddr_ex(const struct sockaddr *addr, const char *separator,
                  const unsigned int flags, struct gc_arena *gc)
{
    return "";
}

int
cipher_kt_key_size(const char *ciphername)
{
    return 32;
}

void
set_nonblock(socket_descriptor_t fd)
{
    socket_of(fd)->nonblock = true;
}

void
set_cloexec(socket_descriptor_t fd)
{
    socket_of(fd)->cloexec = true;
}

/* in a process of its own, whose exit status tells */
static bool fatal_is_expected;
#define FATAL_STATUS 42

void __wrap_x_msg(const unsigned int flags, const char *format, ...);

void
__wrap_x_msg(const unsigned int flags, const char *format, ...)
{
    const unsigned int level = flags & M_DEBUG_LEVEL;

    /* "dco_do_read" and the like are no message about a message, nor is the
     * line that upstream's own fix has for each before it is looked at */
    logged += strchr(format, ' ') && !strstr(format, "received netlink message");
    warned += level <= 1;
    if ((flags & M_FATAL) && fatal_is_expected)
    {
        _exit(FATAL_STATUS);
    }
    if (flags & M_FATAL)
    {
        va_list arglist;
        va_start(arglist, format);
        x_msg_va(flags, format, arglist);
        va_end(arglist);
        fail_msg("a fatal error: openvpn would exit");
    }
}

/*
 * The event loop
 */

int
dco_read(dco_context_t *dco)
{
    if (dco_read_and_process)
    {
        return dco_read_and_process(dco);
    }
    const int ret = dco_do_read(dco);
    if (top.mode == CM_P2P && dco->dco_message_type == OVPN_CMD_DEL_PEER)
    {
        process_message();
        dco->dco_message_type = 0;
    }
    return ret;
}

static int event_fd;

static void
fake_event_ctl(struct event_set *es, event_t event, unsigned int rwflags, void *arg)
{
    assert_int_equal(rwflags, EVENT_READ);
    event_fd = event;
}

int
polled_fd(void)
{
    struct event_set es = { .func.ctl = fake_event_ctl };

    event_fd = -1;
    dco_event_set(&tuntap.dco, &es, NULL);
    return event_fd;
}

bool
readable(void)
{
    return socket_of(polled_fd())->queue.head;
}

int
run_event_loop(void)
{
    int passes = 0;

    while (!IS_SIG(&top) && readable())
    {
        assert_in_range(++passes, 1, 4 * MAX_CLIENTS);
        dco_read(&tuntap.dco);
    }
    return passes;
}

void
raise_signal(void)
{
    if (n_processed == 3)
    {
        signal_info.signal_received = SIGTERM;
    }
}

void
spend(int milliseconds)
{
    wall_clock.tv_usec += milliseconds * 1000L;
    wall_clock.tv_sec += wall_clock.tv_usec / 1000000;
    wall_clock.tv_usec %= 1000000;
}

void
connect_clients(int n)
{
    CLEAR(instances);
    for (int i = 0; i < n; ++i)
    {
        connect_client(i);
    }
}

void
connect_client(int peer_id)
{
    CLEAR(instance[peer_id]);
    CLEAR(instance_tls[peer_id]);
    instance_tls[peer_id].dco_peer_id = peer_id;
    instance[peer_id].context.c1.tuntap = &tuntap;
    instance[peer_id].context.c2.tls_multi = &instance_tls[peer_id];
    instances[peer_id] = &instance[peer_id];
}

void
assert_processed(const struct notification *expected, int n)
{
    for (int i = 0; i < n && i < n_processed; ++i)
    {
        if (processed[i].peer_id != expected[i].peer_id
            || processed[i].reason != expected[i].reason)
        {
            fail_msg("notification %d of %d: peer-id %d, reason %d, expected %d, %d",
                     i + 1, n_processed, processed[i].peer_id, processed[i].reason,
                     expected[i].peer_id, expected[i].reason);
        }
    }
    if (n_processed != n)
    {
        const struct notification *odd = n_processed < n ? &expected[n_processed] : &processed[n];
        fail_msg("%d notifications processed, expected %d: %s peer-id %d, reason %d",
                 n_processed, n, n_processed < n ? "not" : "also", odd->peer_id, odd->reason);
    }
}

void
assert_expired(int first, int n)
{
    static struct notification expected[SIZE(processed)];

    assert_in_range(n, 0, SIZE(expected));
    for (int i = 0; i < n; ++i)
    {
        expected[i].peer_id = first + i;
        expected[i].reason = OVPN_DEL_PEER_REASON_EXPIRED;
    }
    assert_processed(expected, n);
}

void
test_flags(void **state)
{
    const struct flag_case *f = *state;
    static struct batch batch;

    for (int i = 0; i < 3; ++i)
    {
        struct nlmsghdr *nlh = (struct nlmsghdr *)(batch.data + batch.len);
        del_peer(&batch, 10 + i, OVPN_DEL_PEER_REASON_EXPIRED);
        nlh->nlmsg_flags |= f->flags;
        nlh->nlmsg_seq = f->seq;
    }
    multicast(&batch);
    run_event_loop();
    assert_expired(10, 3);
    assert_int_equal(warned, 0);
}

/*
 * Requests
 */

int
request_new_peer(void)
{
    struct sockaddr_in remote = { .sin_family = AF_INET };
    return dco_new_peer(&tuntap.dco, 1, 0, NULL, (struct sockaddr *)&remote, NULL, NULL);
}

int
request_set_peer(void)
{
    return dco_set_peer(&tuntap.dco, 1, 10, 60, 0);
}

int
request_del_peer(void)
{
    return dco_del_peer(&tuntap.dco, 1);
}

int
request_new_key(void)
{
    const uint8_t key[32] = { 0 };
    return dco_new_key(&tuntap.dco, 1, 0, OVPN_KEY_SLOT_PRIMARY, key, key, key,
                       key, "AES-256-GCM");
}

int
request_swap_keys(void)
{
    return dco_swap_keys(&tuntap.dco, 1);
}

int
request_del_key(void)
{
    return dco_del_key(&tuntap.dco, 1, OVPN_KEY_SLOT_SECONDARY);
}

int
request_get_peer(void)
{
    int ret = dco_get_peer_stats(&top);
    if (ret == 0)
    {
        assert_int_equal(top.c2.dco_read_bytes, 1001);
        assert_int_equal(top.c2.dco_write_bytes, 2001);
        assert_int_equal(top.c2.tun_read_bytes, 3001);
        assert_int_equal(top.c2.tun_write_bytes, 4001);
    }
    return ret;
}

int
request_get_all_peers(void)
{
    int ret = dco_get_peer_stats_multi(&tuntap.dco, &multi_context);
    if (ret == 0)
    {
        assert_int_equal(instance[1].context.c2.dco_read_bytes, 1001);
        assert_int_equal(instance[2].context.c2.dco_write_bytes, 2002);
    }
    return ret;
}

bool
is_fatal(int (*request)(void))
{
    const pid_t pid = fork();
    int status = 0;

    assert_int_not_equal(pid, -1);
    if (pid == 0)
    {
        fatal_is_expected = true;
        request();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == FATAL_STATUS;
}

/*
 * Setup of a case
 */

void
reset(int mode)
{
    CLEAR(top);
    CLEAR(tuntap);
    CLEAR(signal_info);
    CLEAR(tls_multi);
    CLEAR(instances);
    on_notification = NULL;
    CLEAR(kernel);

    top.mode = mode;
    top.sig = &signal_info;
    top.c1.tuntap = &tuntap;
    top.c2.tls_multi = &tls_multi;
    top.options.ping_rec_timeout_action = PING_RESTART;
    tls_multi.dco_peer_id = 1;
    tuntap.type = DEV_TYPE_TUN;
    if (mode == CM_TOP)
    {
        multi_context.max_clients = MAX_CLIENTS;
        multi_context.instances = instances;
        connect_clients(MAX_CLIENTS);
        top.multi = &multi_context;
    }
}

void
open_device(void)
{
    mock_set_debug_level(9);
    update_time();
    warned = 0;
    assert_true(ovpn_dco_init(&top));
    assert_int_equal(open_tun_dco(&tuntap, NULL, "tun0"), 0);
    assert_false(readable());

    warned_opening = warned;
    n_processed = logged = warned = 0;
    kernel.n_requests = kernel.n_dumps = 0;
    CLEAR(kernel.n_get_peer);
}

int
setup_server(void **state)
{
    reset(CM_TOP);
    open_device();
    return 0;
}

int
setup_p2p(void **state)
{
    reset(CM_P2P);
    open_device();
    return 0;
}

int
teardown(void **state)
{
    close_tun_dco(&tuntap, NULL);
    close_kernel();
    return 0;
}

#endif /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) */
