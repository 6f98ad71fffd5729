/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * The scenes that are measured, and the main program.
 */
#include "config.h"
#include "syshead.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "bench.h"
#include "mock_msg.h"

#include "env_set.h"
#include "event.h"
#include "fdmisc.h"
#include "forward.h"
#include "list.h"
#include "mroute.h"
#include "multi.h"
#include "schedule.h"

#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <sys/wait.h>

static const char usage[] =
    "Usage: bench SCENE [ARGUMENT...]\n"
    "\n"
    "Plays one scene with this tree's dco_linux.c and multi.c, and a server of %d clients\n"
    "on the scripted kernel of the unit tests, and prints what it took, as words NAME=NUMBER:\n"
    "calls (system calls on netlink sockets), requests, datagrams, dumped (peers), allocations,\n"
    "bytes, passes (of the event loop), and the most of one pass. Instructions are counted by\n"
    "callgrind: valgrind --tool=callgrind --instr-atstart=no --collect-atstart=no. To be run by\n"
    "tests/bench/run.\n"
    "\n"
    "  parse TIMES BATCH     one dco_do_read(), TIMES times, with BATCH notifications queued:\n"
    "                        of peers that the server itself has removed\n"
    "  close TIMES BATCH     the same, of peers that have expired: their instances are closed\n"
    "  libnl TIMES BATCH     the same bytes by libnl, with an empty callback\n"
    "  libnl-peek ...        the same with libnl's defaults: it peeks for the size first\n"
    "  libnl-attrs ...       by libnl, with a callback that only finds the attributes\n"
    "  recv TIMES BATCH      the same bytes by recvmsg() alone\n"
    "  lost                  all clients are lost at once\n"
    "  kill                  the server closes all clients, one by one\n"
    "  exit                  the server exits\n"
    "  resync                notifications were lost, all peers are there\n"
    "  walk                  a walk over all clients, as when one of them is looked for\n"
    "  idle                  what the event loop calls before it waits\n"
    "  open                  opens the device\n"
    "  loss SERVERS LIMITED  the largest loss at once that leaves the server alive and in step,\n"
    "                        with so many servers in one network namespace, on a real socket;\n"
    "                        LIMITED: 1 without CAP_NET_ADMIN\n";

/*
 * What the linker wants and the mocks don't have
 */

int dev_type_enum(const char *dev, const char *dev_type);

int
dev_type_enum(const char *dev, const char *dev_type)
{
    return DEV_TYPE_TUN;
}

struct ifconfig_pool;

void ifconfig_pool_free(struct ifconfig_pool *pool);

void
ifconfig_pool_free(struct ifconfig_pool *pool)
{
}

/* OpenVPN's, which is the same in all trees but for dco_remove_peer(), and the
 * notification that follows */
void __wrap_close_context(struct context *c, int sig, unsigned int flags);

void __real_close_context(struct context *c, int sig, unsigned int flags);

void
__wrap_close_context(struct context *c, int sig, unsigned int flags)
{
    const int peer_id = c->mode == CM_CHILD_UDP ? c->c2.tls_multi->dco_peer_id : -1;

    if (peer_id != -1)
    {
        static struct batch batch;
        dco_remove_peer(c);

        const bool paused = measure_pause();
        del_peer(&batch, peer_id, OVPN_DEL_PEER_REASON_USERSPACE);
        multicast(&batch);
        measure_resume(paused);
    }
    const bool paused = measure_pause();
    __real_close_context(c, sig, flags);
    measure_resume(paused);
}

/*
 * Setup
 */

/** Run the event loop until it would wait. */
static void
run_passes(void)
{
    while (readable() && !IS_SIG(&top))
    {
        dco_read(&tuntap.dco);
        measure_pass();
    }
}

/** What multi_create_instance() does for the tables of multi.c. */
static void
add_to_tables(struct multi_context *m, int i)
{
    struct multi_instance *mi = &instance[i];

    mi->real.type = MR_ADDR_IPV4|MR_WITH_PORT;
    mi->real.len = 6;
    mi->real.v4.addr = htonl(0x0a000000 + i);
    mi->real.v4.port = htons(1194);
    mi->context.c2.mda_context.cid = i;
    mi->did_real_hash = hash_add(m->hash, &mi->real, mi, false);
    mi->did_iter = hash_add(m->iter, &mi->real, mi, false);
    mi->did_cid_hash = hash_add(m->cid_hash, &mi->context.c2.mda_context.cid, mi, false);
    assert_true(mi->did_real_hash && mi->did_iter && mi->did_cid_hash);

    const struct timeval wakeup = { .tv_sec = wall_clock.tv_sec + 1 + i % 60, .tv_usec = 1 };
    schedule_add_entry(m->schedule, (struct schedule_entry *)mi, &wakeup, 0);
    ++m->n_clients;
    mi->n_clients_delta = -1;
}

/** A server with its clients, whose tables are multi.c's. */
static void
start_server(bool limited)
{
    reset(CM_TOP);
    kernel.limited = limited;
    queue_record();
    open_device();
    mock_set_debug_level(1);

    top.options.real_hash_size = 256;   /* OpenVPN's defaults */
    top.options.virtual_hash_size = 256;
    top.options.n_bcast_buf = 256;
    top.options.max_clients = N_CLIENTS;
    top.options.tuntap_options.disable_dco = false;
    multi_init(&multi_context, &top, false);
    multi_context.top.mode = CM_TOP_CLONE;
    multi_context.top.sig = &signal_info;
    multi_context.top.c1.tuntap = &tuntap;
    connect_instances(&multi_context);
    for (int i = 0; i < N_CLIENTS; ++i)
    {
        add_to_tables(&multi_context, i);
    }
}

static int
instances_left(void)
{
    int n = 0;

    for (int i = 0; i < N_CLIENTS; ++i)
    {
        n += !instance[i].halt;
    }
    return n;
}

static void
print_counts(const char *scene, int n)
{
    printf("scene=%s clients=%d n=%d left=%d calls=%ld requests=%ld datagrams=%ld dumped=%ld "
           "allocations=%ld bytes=%ld logged=%d passes=%ld longest_calls=%ld "
           "longest_requests=%ld longest_datagrams=%ld longest_dumped=%ld\n",
           scene, N_CLIENTS, n, instances_left(), count.calls, count.requests, count.datagrams,
           count.dumped, count.allocations, count.bytes, logged, passes, longest.calls,
           longest.requests, longest.datagrams, longest.dumped);
}

/*
 * One notification
 */

/** Queue the notifications of peers \a first to \a first + \a n - 1. */
static void
queue_notifications(int first, int n, int reason)
{
    static struct batch batch;

    for (int i = first; i < first + n; ++i)
    {
        del_peer(&batch, i, reason);
        multicast(&batch);
    }
}

static void
by_openvpn(void)
{
    run_passes();
}

static struct nl_sock *floor_socket;

/** What dco_linux.c has to do at least: find the attributes of a DEL_PEER. */
static int
find_attributes(struct nl_msg *msg, void *arg)
{
    const struct genlmsghdr *header = genlmsg_hdr(nlmsg_hdr(msg));
    struct nlattr *attrs[OVPN_ATTR_MAX + 1];
    struct nlattr *nested[OVPN_DEL_PEER_ATTR_MAX + 1];

    if (!nla_parse(attrs, OVPN_ATTR_MAX, genlmsg_attrdata(header, 0), genlmsg_attrlen(header, 0),
                   NULL)
        && attrs[OVPN_ATTR_DEL_PEER])
    {
        nla_parse_nested(nested, OVPN_DEL_PEER_ATTR_MAX, attrs[OVPN_ATTR_DEL_PEER], NULL);
    }
    return NL_SKIP;
}

static int
nothing(struct nl_msg *msg, void *arg)
{
    return NL_SKIP;
}

/** A socket that is a member of the group, as dco_linux.c makes its own. */
static void
open_floor(int size, nl_recvmsg_msg_cb_t callback)
{
    floor_socket = nl_socket_alloc();
    assert_non_null(floor_socket);
    assert_int_equal(genl_connect(floor_socket), 0);
    set_cloexec(nl_socket_get_fd(floor_socket));
    set_nonblock(nl_socket_get_fd(floor_socket));
    assert_int_equal(nl_socket_set_buffer_size(floor_socket, 1024 * 1024, 0), 0);
    nl_socket_set_msg_buf_size(floor_socket, size);
    nl_socket_modify_cb(floor_socket, NL_CB_MSG_IN, NL_CB_CUSTOM, callback, NULL);
    assert_int_equal(nl_socket_add_membership(floor_socket, GROUP_ID), 0);
}

static void
by_libnl(void)
{
    while (nl_recvmsgs_default(floor_socket) != -NLE_AGAIN)
    {
    }
}

static void
by_recvmsg(void)
{
    static uint8_t buffer[65536];
    struct sockaddr_nl from;
    struct iovec iov = { buffer, sizeof(buffer) };
    struct msghdr msg = {
        .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1,
    };

    while (recvmsg(nl_socket_get_fd(floor_socket), &msg, 0) >= 0)
    {
    }
}

static void
one(const char *scene, int times, int batch)
{
    void (*read_all)(void) = by_openvpn;
    const int reason = strcmp(scene, "close") ? OVPN_DEL_PEER_REASON_USERSPACE
                       : OVPN_DEL_PEER_REASON_EXPIRED;

    assert_in_range(times * batch, 1, N_CLIENTS);
    start_server(false);
    if (!strncmp(scene, "libnl", 5) || !strcmp(scene, "recv"))
    {
        open_floor(strcmp(scene, "libnl-peek") ? 65536 : 0,
                   strcmp(scene, "libnl-attrs") ? nothing : find_attributes);
        read_all = strcmp(scene, "recv") ? by_libnl : by_recvmsg;
    }
    for (int i = 0; i < times; ++i)
    {
        queue_notifications(i * batch, batch, reason);
        for (int j = i * batch; j < (i + 1) * batch && reason == OVPN_DEL_PEER_REASON_USERSPACE; ++j)
        {
            multi_context.instances[j] = NULL;
        }
        measure_begin(false);
        read_all();
        measure_end();
    }
    print_counts(scene, times * batch);
}

/*
 * Many clients
 */

static void
lost(void)
{
    queue_notifications(0, N_CLIENTS, OVPN_DEL_PEER_REASON_EXPIRED);
    measure_begin(true);
    run_passes();
    measure_end();
}

static void
kill_all(void)
{
    measure_begin(false);
    for (int i = 0; i < N_CLIENTS; ++i)
    {
        instance_signal[i].signal_received = SIGTERM;
        multi_close_instance_on_signal(&multi_context, &instance[i]);
        run_passes();
        measure_pass();
    }
    measure_end();
}

static void
exit_server(void)
{
    measure_begin(true);
    multi_uninit(&multi_context);
    measure_end();
}

static void
resync(void)
{
    multicast_error(ENOBUFS);
    measure_begin(true);
    run_passes();
    measure_end();
}

/** What each walk over all clients does at least, as multi_delete_dup(). */
static void
walk(void)
{
    struct hash_iterator hi;
    const struct hash_element *he;
    int n = 0;

    measure_begin(false);
    hash_iterator_init(multi_context.iter, &hi);
    while ((he = hash_iterator_next(&hi)))
    {
        const struct multi_instance *mi = he->value;
        n += !mi->halt;
    }
    hash_iterator_free(&hi);
    measure_end();
    assert_int_equal(n, N_CLIENTS);
}

static void
fake_event_ctl(struct event_set *es, event_t event, unsigned int rwflags, void *arg)
{
}

static void
idle(void)
{
    struct event_set es = { .func.ctl = fake_event_ctl };

    measure_begin(false);
    for (int i = 0; i < N_CLIENTS; ++i)
    {
        dco_event_set(&tuntap.dco, &es, NULL);
    }
    measure_end();
}

static void
many(const char *scene)
{
    static const struct
    {
        const char *name;
        void (*play)(void);
    } scenes[] = {
        { "lost", lost }, { "kill", kill_all }, { "exit", exit_server }, { "resync", resync },
        { "walk", walk }, { "idle", idle },
    };

    for (int i = 0; i < (int)SIZE(scenes); ++i)
    {
        if (!strcmp(scene, scenes[i].name))
        {
            start_server(false);
            scenes[i].play();
            print_counts(scene, N_CLIENTS);
            return;
        }
    }
    fprintf(stderr, "bench: no scene '%s'; see bench --help\n", scene);
    exit(2);
}

static int
open_sockets(void)
{
    int n = 0;

    /* that is what they are on the scripted kernel */
    for (int fd = 0; fd < 64; ++fd)
    {
        char path[64];
        char name[64] = "";
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        n += readlink(path, name, sizeof(name) - 1) > 0 && !strcmp(name, "/dev/null");
    }
    return n;
}

static void
open_only(void)
{
    const int before = open_sockets();

    reset(CM_TOP);
    measure_begin(false);
    open_device();
    measure_end();

    printf("scene=open sockets=%d calls=%ld allocations=%ld bytes=%ld kernel_bytes=%ld\n",
           open_sockets() - before, count.calls, count.allocations, count.bytes, queue_kernel_memory());
}

/*
 * The largest loss
 */

/** In a copy of this process: whether the server is alive and in step after \a n
 * clients were lost at once, with room for \a room notifications. */
static bool
survives(int n, int room)
{
    const pid_t pid = fork();
    int status = 0;

    assert_int_not_equal(pid, -1);
    if (pid == 0)
    {
        const int null = open("/dev/null", O_WRONLY);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        if (n > room)
        {
            /* the kernel reports it first: sk_err */
            multicast_error(ENOBUFS);
        }
        queue_notifications(0, n < room ? n : room, OVPN_DEL_PEER_REASON_EXPIRED);
        for (int i = 0; i < n; ++i)
        {
            remove_peer(i);
        }
        run_passes();
        _exit(instances_left() != N_CLIENTS - n);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
largest_loss(int servers, bool limited)
{
    start_server(limited);

    const int room = queue_capacity(servers, !limited);
    if (room < 0)
    {
        fprintf(stderr, "bench: this machine has no real netlink sockets to measure with: %s\n", strerror(errno));
        exit(77);
    }
    int good = 0;
    int bad = N_CLIENTS + 1;
    while (bad - good > 1)
    {
        const int n = good + (bad - good) / 2;
        *(survives(n, room) ? &good : &bad) = n;
    }
    printf("scene=loss servers=%d limited=%d room=%d largest=%d all=%d\n", servers, limited, room,
           good, good == N_CLIENTS);
}

int
main(int argc, char **argv)
{
    const char *scene = argc > 1 ? argv[1] : "";
    const int first = argc > 2 ? atoi(argv[2]) : 0;
    const int second = argc > 3 ? atoi(argv[3]) : 0;

    if (!strcmp(scene, "--help") || !strcmp(scene, "-h"))
    {
        printf(usage, N_CLIENTS);
        return 0;
    }
    if (!strcmp(scene, "loss") && first > 0)
    {
        largest_loss(first, second);
    }
    else if (!strcmp(scene, "open"))
    {
        open_only();
    }
    else if (argc == 4 && first > 0 && second > 0)
    {
        one(scene, first, second);
    }
    else
    {
        many(scene);
    }
    return 0;
}
