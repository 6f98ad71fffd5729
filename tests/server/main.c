/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The server under test: OpenVPN's objects with this main() ahead of theirs
 * (-Wl,--wrap=main), and the kernel's end in place of the kernel.
 */
#include "client.h"
#include "netlink.h"
#include "scene.h"
#include "verdict.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int __real_main(int argc, char **argv);

/* What OpenVPN, in every version seen here, does not free: a HMAC context when it restarts
 * (SIGUSR1, SIGHUP), and file names when an instance goes that waits for its client-connect */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
    return "leak:session_id_hmac_init\nleak:ccs_gen_";
}

#define ARGUMENTS 96

static char *arguments[ARGUMENTS];
static int count;

/* Append words, up to NULL */
static void
append(const char *const *words)
{
    for (; *words; ++words)
    {
        if (count + 1 == ARGUMENTS || !(arguments[count++] = strdup(*words)))
            verdict_stop("setup", "too many arguments, or no memory");
    }
}

#define APPEND(...) append((const char *const[]){ __VA_ARGS__, NULL })

/* The key before has to outlive a rekey that fails, and the next one */
#define SHORT_KEYS "--reneg-sec", "1200", "1200", "--tran-window", "3600"

static const char *const situation_options[][8] = {
    [SITUATION_RETURN] = { SHORT_KEYS },
    [SITUATION_MOVE] = { SHORT_KEYS },
    [SITUATION_TWIN] = { "--duplicate-cn" },
    [SITUATION_INACTIVE] = { "--inactive", "60" },
    [SITUATION_STATUS_FILE] = { "--status", "/dev/null", "200" },
    [SITUATION_USR1_PERSIST] = { "--persist-tun" },
    [SITUATION_VANISH] = { "--max-clients", "3" },
    [SITUATION_VANISH_POOL] = { "nopool", "--ifconfig-pool", "10.8.0.2", "10.8.0.4",
                                "255.255.255.0" },
    [SITUATION_GARBLED] = { "--max-clients", "3" },
    [SITUATION_RANDOM] = { NULL },
};

/* A client-disconnect script that waits for host_script() */
static void
append_script(void)
{
    if (mkfifo("fifo", 0600))
        verdict_stop("setup", "cannot make a fifo");
    APPEND("--script-security", "2", "--client-disconnect", "/bin/sh -c \"read line < fifo\"");
}

/* An address and a network of its own for client c0 */
static void
append_network(void)
{
    FILE *file = mkdir("clients", 0700) ? NULL : fopen("clients/c0", "we");
    if (!file || fputs("ifconfig-push 10.8.0.99 255.255.255.0\n"
                       "iroute 10.9.0.0 255.255.255.0\n", file) < 0 || fclose(file))
    {
        verdict_stop("setup", "cannot make clients/c0");
    }
    APPEND("--client-config-dir", "clients");
}

static void
command_line(const struct scenario *s, const char *keys, const char *plugin)
{
    const struct in_addr in = { htonl(client_server_address()) };
    char ca[512], cert[512], key[512];
    snprintf(ca, sizeof(ca), "%s/ca.crt", keys);
    snprintf(cert, sizeof(cert), "%s/server.crt", keys);
    snprintf(key, sizeof(key), "%s/server.key", keys);
    APPEND("openvpn", "--dev", "tun0", "--local", inet_ntoa(in), "--port", "1194",
           "--proto", s->proto == PROTO_TCP ? "tcp4-server" : "udp4",
           "--ca", ca, "--cert", cert, "--key", key, "--dh", "none",
           "--data-ciphers", "AES-256-GCM", "--keepalive", "10", "60", "--persist-key",
           "--tran-window", "60", "--hand-window", "600", "--log", "server.log", "--verb", "4",
           "--management", "management", "unix");
    if (s->proto == PROTO_P2P)
        APPEND("--tls-server", "--ifconfig", "10.8.0.1", "10.8.0.2");
    else if (s->variant == VARIANT_NO_ADDRESS)
        APPEND("--mode", "server", "--tls-server", "--ifconfig", "10.8.0.1", "255.255.255.0");
    else
        APPEND("--server", "10.8.0.0", "255.255.255.0");
    append(situation_options[s->situation]);
    if (s->proto != PROTO_P2P)
        APPEND("--topology", "subnet", "--plugin", plugin);
    if (s->variant == VARIANT_SCRIPT || s->variant == VARIANT_SLOW_SCRIPT)
        append_script();
    if (s->situation == SITUATION_MOVE || s->situation == SITUATION_TWIN)
        append_network();
}

int
__wrap_main(int argc, char **argv)
{
    struct scenario scenario;
    if (argc != 5 || !scenario_parse(argv[1], &scenario))
    {
        fprintf(stderr, "Usage: server SCENARIO KEYS-FOLDER OPENVPN PLUGIN\n"
                "Plays one scenario in this folder; it is started by tests/server/interleave.\n");
        return argc == 2 && !strcmp(argv[1], "--help") ? 0 : 2;
    }
    verdict_open("verdict");
    if (getenv("SERVER_RECORD"))
        module_record(getenv("SERVER_RECORD"));
    if (scenario.variant == VARIANT_SMALL_BUFFER)
        netlink_small_buffer();
    command_line(&scenario, argv[2], argv[4]);
    scene_start(&scenario, &(struct scene_paths) { .keys = argv[2], .openvpn = argv[3] });
    return __real_main(count, arguments);
}
