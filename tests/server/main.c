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

static const char *
path(const char *folder, const char *name)
{
    static char text[16][512];
    static int next;
    char *result = text[next++ % 16];
    snprintf(result, sizeof(text[0]), "%s/%s", folder, name);
    return result;
}

static void
command_line(const struct scenario *s, const struct scene_paths *paths, const char *plugin)
{
    const struct in_addr in = { htonl(client_server_address()) };
    const bool p2p = s->proto == PROTO_P2P;
    APPEND("openvpn", "--dev", "tun0", "--local", inet_ntoa(in), "--port", "1194",
           "--proto", s->proto == PROTO_TCP ? "tcp4-server" : "udp4",
           "--ca", path(paths->keys, "ca.crt"), "--cert", path(paths->keys, "server.crt"),
           "--key", path(paths->keys, "server.key"), "--dh", "none",
           "--data-ciphers", "AES-256-GCM", "--keepalive", "10", "60", "--persist-key", "--tran-window", "60",
           "--hand-window", "600",
           "--log", path(paths->run, "server.log"), "--verb", "4",
           "--management", path(paths->run, "management"), "unix");
    if (p2p)
    {
        APPEND("--tls-server", "--ifconfig", "10.8.0.1", "10.8.0.2");
    }
    else
    {
        APPEND("--topology", "subnet", "--plugin", plugin);
        if (s->variant == VARIANT_NO_ADDRESS)
            APPEND("--mode", "server", "--tls-server", "--ifconfig", "10.8.0.1", "255.255.255.0");
        else if (s->situation == SITUATION_VANISH_POOL)
            APPEND("--server", "10.8.0.0", "255.255.255.0", "nopool",
                   "--ifconfig-pool", "10.8.0.2", "10.8.0.4", "255.255.255.0");
        else
            APPEND("--server", "10.8.0.0", "255.255.255.0");
    }
    if (s->situation == SITUATION_VANISH || s->situation == SITUATION_GARBLED)
        APPEND("--max-clients", "3");
    if (s->variant == VARIANT_SCRIPT || s->variant == VARIANT_SLOW_SCRIPT)
    {
        const char *fifo = path(paths->run, "fifo");
        char script[600];
        if (mkfifo(fifo, 0600))
            verdict_stop("setup", "cannot make %s", fifo);
        snprintf(script, sizeof(script), "/bin/sh -c \"read line < %s\"", fifo);
        APPEND("--script-security", "2", "--client-disconnect", script);
    }
    if (s->situation == SITUATION_USR1_PERSIST)
        APPEND("--persist-tun");
    if (s->situation == SITUATION_RETURN || s->situation == SITUATION_MOVE)
    {
        /* the key before has to outlive a rekey that fails, and the next one */
        APPEND("--reneg-sec", "1200", "1200", "--tran-window", "3600");
    }
    if (s->situation == SITUATION_MOVE)
    {
        const char *folder = path(paths->run, "clients");
        FILE *file = mkdir(folder, 0700) ? NULL : fopen(path(folder, "c0"), "we");
        if (!file || fprintf(file, "ifconfig-push 10.8.0.99 255.255.255.0\niroute 10.9.0.0 255.255.255.0\n") < 0
            || fclose(file))
        {
            verdict_stop("setup", "cannot make %s", folder);
        }
        APPEND("--client-config-dir", folder);
    }
    if (s->situation == SITUATION_INACTIVE)
        APPEND("--inactive", "60");
    if (s->situation == SITUATION_STATUS_FILE)
        APPEND("--status", path(paths->run, "status"), "200");
}

int
__wrap_main(int argc, char **argv)
{
    struct scenario scenario;
    if (argc != 6 || !scenario_parse(argv[1], &scenario))
    {
        fprintf(stderr, "Usage: server SCENARIO RUN-FOLDER KEYS-FOLDER OPENVPN PLUGIN\n"
                "Plays one scenario; it is started by tests/server/interleave.\n");
        return argc == 2 && !strcmp(argv[1], "--help") ? 0 : 2;
    }
    const struct scene_paths paths = { .run = argv[2], .keys = argv[3], .openvpn = argv[4] };
    verdict_open(path(paths.run, "verdict"));
    if (getenv("SERVER_RECORD"))
        module_record(getenv("SERVER_RECORD"));
    if (scenario.variant == VARIANT_SMALL_BUFFER)
        netlink_small_buffer();
    command_line(&scenario, &paths, argv[5]);
    scene_start(&scenario, &paths);
    return __real_main(count, arguments);
}
