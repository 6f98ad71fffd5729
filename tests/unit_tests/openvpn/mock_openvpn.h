/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * What dco_linux.c needs of OpenVPN, for its unit tests: the contexts, the
 * instances of a server, the event loop, and what processes a notification,
 * which is recorded here.
 */

#ifndef MOCK_OPENVPN_H
#define MOCK_OPENVPN_H

#include "dco.h"
#include "mock_netlink.h"
#include "openvpn.h"
#include "multi.h"
#include "ssl_common.h"
#include "tun.h"

#define MAX_CLIENTS N_PEERS

extern struct context top;      /* the server's, or our one in P2P mode */
extern struct tuntap tuntap;
extern struct signal_info signal_info;
extern struct tls_multi tls_multi;  /* P2P mode: our peer is 1 */

/* the server's instances: instance[i], if it is in instances, is the client
 * whose peer-id is i */
extern struct multi_context multi_context;
extern struct multi_instance *instances[MAX_CLIENTS];
extern struct multi_instance instance[MAX_CLIENTS];
extern struct tls_multi instance_tls[MAX_CLIENTS];

/* the notifications that were handed on, in this order */
struct notification
{
    int peer_id;
    int reason;
};
extern struct notification processed[2 * MAX_CLIENTS];
extern int n_processed;

/* called for each of them, if set */
extern void (*on_notification)(void);

/* messages logged: all, and those that an administrator sees by default; and
 * those of these that were logged when the device was opened at last */
extern int logged, warned, warned_opening;

/* what time() and gettimeofday() tell: only a test lets time go by */
extern struct timeval wall_clock;

/*
 * The event loop
 */

/* upstream's own fix gave it another name; that which is not there is NULL */
int dco_read_and_process(dco_context_t *dco) __attribute__((weak));

extern __typeof__(dco_read_and_process) dco_do_read __attribute__((weak));

/** Let dco_linux.c read notifications. What it leaves in dco in P2P mode is taken
 * for processed, as by process_incoming_dco(). */
int dco_read(dco_context_t *dco);

/** Record the message in the DCO context as processed, and forget that client. */
void process_message(void);

/** The descriptor that it polls for DCO_READ, or -1. */
int polled_fd(void);

/** Whether it would call dco_read(). */
bool readable(void);

/**
 * Run the event loop until it would wait or a signal is pending.
 *
 * @return  how many passes it made
 */
int run_event_loop(void);

/** An on_notification: the third one raises SIGTERM. */
void raise_signal(void);

/** Let time go by. */
void spend(int milliseconds);

/** Let the server have a client whose peer has this id in the kernel. */
void connect_client(int peer_id);

/** Let it have those with the ids 0 to \a n - 1, and no others. */
void connect_clients(int n);

/** Check that these, and no others, were processed. */
void assert_processed(const struct notification *expected, int n);

/** Check that peers \a first to \a first + \a n - 1 are all that expired. */
void assert_expired(int first, int n);

/** A message that is good by itself, but that libnl would not just hand on. */
struct flag_case
{
    int flags;
    uint32_t seq;
};

/** The test of a case: three such notifications in a datagram are processed. */
void test_flags(void **state);

#define FLAG_CASE(flags, seq) (&(struct flag_case){ flags, seq })

/*
 * Requests to the kernel, for peer 1
 */

struct request
{
    const char *name;
    int (*make)(void);
};

int request_new_peer(void);

int request_set_peer(void);

int request_del_peer(void);

int request_new_key(void);

int request_swap_keys(void);

int request_del_key(void);

/** Checks the statistics, too. */
int request_get_peer(void);

int request_get_all_peers(void);

/** Whether openvpn would exit for a fatal error that this request meets. */
bool is_fatal(int (*request)(void));

/*
 * Setup of a case
 */

/** Clear everything. CM_TOP is a server, CM_P2P is client or P2P mode. */
void reset(int mode);

/** Open the device; the counters are those from here on. */
void open_device(void);

int setup_server(void **state);

int setup_p2p(void **state);

int teardown(void **state);

#define SERVER_TEST(f) cmocka_unit_test_setup_teardown(f, setup_server, teardown)
#define P2P_TEST(f) cmocka_unit_test_setup_teardown(f, setup_p2p, teardown)
#define SERVER_CASE(name, f, arg) { name, f, setup_server, teardown, (void *)(arg) }
#define P2P_CASE(name, f, arg) { "p2p_" name, f, setup_p2p, teardown, (void *)(arg) }

#endif /* ifndef MOCK_OPENVPN_H */
