/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * The guest: QEMU, the conversation with the agent in it, its servers and its kernel.
 */
#include "storm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/** Seconds; without KVM, 6 to 22 were seen. */
#define BOOT_LIMIT 300

/** Seconds for a reply; under load some take a few. */
#define REPLY_LIMIT 60

/** Seconds until a server is ready. */
#define SERVER_LIMIT 120

static pid_t
start_qemu(struct storm *storm)
{
    /* no_timer_check: on a busy machine the check finds no timer. MiB: the guest takes
     * what it uses */
    const int clients = storm->options->clients;
    char *memory = text("%d", clients < 4096 ? 768 + clients : 4864);
    const pid_t pid = spawn(storm, "/mnt/guest.log", (char *const[]){
        "/bin/sh", "-c",
        "exec qemu-system-x86_64 -accel \"$1\" -cpu max -smp 2 -m \"$2\""
        " -kernel /boot/vmlinuz-* -initrd /mnt/initramfs"
        " -append \"console=ttyS0 quiet rdinit=/init panic=-1 no_timer_check $3\""
        " -display none -monitor none -serial stdio -no-reboot -nodefaults"
        " -netdev tap,id=net,ifname=storm0,script=no,downscript=no"
        " -device virtio-net-pci,netdev=net,romfile=",
        "qemu", strcmp(storm->options->accel, "tcg") == 0 ? "tcg,thread=multi" : "kvm", memory,
        (char *)storm->options->kernel, NULL });
    free(memory);
    return pid;
}

/** A connection to the agent, or -1. */
static int
connect_to_agent(void)
{
    const struct timeval limit = { .tv_sec = REPLY_LIMIT };
    const int one = 1;
    const struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(AGENT_PORT),
                                         .sin_addr = { inet_addr(GUEST_ADDRESS) } };
    const int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(sock, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return sock;
    close(sock);
    return -1;
}

const char *
guest_fact(struct storm *storm, const char *name)
{
    return json_string_value(json_object_get(storm->run, name));
}

void
guest_boot(struct storm *storm)
{
    static const char *const facts[][2] = {
        { "kernel", "cat /proc/sys/kernel/osrelease" },
        { "module", "cat /sys/module/ovpn_dco_v2/version" },
        { "version", "/bin/openvpn --version | head -n 1" },
        { "package", "cat /etc/package" },
    };
    int sock;

    printf("storm: booting the guest\n");
    storm->guest = start_qemu(storm);
    while ((sock = connect_to_agent()) < 0)
    {
        if (waitpid(storm->guest, NULL, WNOHANG) != 0)
            fail(storm, "QEMU ended, see guest.log");
        if (seconds_now(storm) > BOOT_LIMIT)
            fail(storm, "no guest after %d s, see guest.log", BOOT_LIMIT);
        usleep(200000);
    }
    shell(storm, "rm /mnt/initramfs");
    storm->from_agent = fdopen(sock, "r");
    storm->to_agent = fdopen(dup(sock), "w");

    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); ++i)
    {
        char *fact = guest_run(storm, "%s", facts[i][1]);

        json_object_set_new(storm->run, facts[i][0], json_string(fact));
        free(fact);
    }
    phase(storm, "guest is up");
    printf("storm: Linux %s, ovpn-dco-v2 %s\nstorm: %s\nstorm: package: %s\n",
           guest_fact(storm, "kernel"), guest_fact(storm, "module"),
           guest_fact(storm, "version"), guest_fact(storm, "package"));
}

/** It can't be asked for its logs, either. */
__attribute__((noreturn))
static void
lost(struct storm *storm, const char *why)
{
    storm->to_agent = NULL;
    fail(storm, "the guest %s (%s), see guest.log", why, strerror(errno));
}

json_t *
guest_ask(struct storm *storm, json_t *request)
{
    if (json_dumpf(request, storm->to_agent, JSON_COMPACT) != 0
        || fputc('\n', storm->to_agent) == EOF || fflush(storm->to_agent) != 0)
    {
        lost(storm, "doesn't listen");
    }
    json_t *reply = json_loadf(storm->from_agent, JSON_DISABLE_EOF_CHECK, NULL);
    if (!reply)
        lost(storm, "doesn't answer");
    json_decref(request);
    return reply;
}

char *
guest_run(struct storm *storm, const char *format, ...)
{
    char script[4096];
    const char *output;
    int status;
    va_list args;

    va_start(args, format);
    vsnprintf(script, sizeof(script), format, args);
    va_end(args);
    json_t *reply = guest_ask(storm, json_pack("{s: s}", "run", script));
    if (json_unpack(reply, "{s: i, s: s}", "status", &status, "output", &output) != 0
        || status != 0)
    {
        fail(storm, "in the guest '%.*s' failed", (int)strcspn(script, "\n"), script);
    }
    const size_t size = strlen(output);
    char *result = strndup(output, size > 0 && output[size - 1] == '\n' ? size - 1 : size);
    json_decref(reply);
    return result;
}

/**
 * Server N has its files in /run/N, the interface tunN, and assigns addresses of
 * 10.(8+N).0.0/16 (load.c sends to them).
 */
static void
start_server(struct storm *storm, int server)
{
    const struct options *options = storm->options;
    const int share = options->clients / options->servers;

    free(guest_run(
        storm,
        "mkdir /run/%d && cd /run/%d && cat > conf <<EOT\n"
        "dev tun%d\ntopology subnet\nserver 10.%d.0.0 255.255.0.0\n"
        "proto %s\nport %d\n"
        "ca /etc/keys/ca.crt\ncert /etc/keys/server.crt\nkey /etc/keys/server.key\ndh none\n"
        "keepalive %d %d\nmax-clients %d\n"
        "status status %d\nstatus-version 2\nverb 3\nwritepid pid\n"
        /* all clients have one certificate; without this a client that comes
         * back would close the instance that it left, and hide a leak */
        "duplicate-cn\n"
        "%s"
        "EOT\n"
        "printf '#!/bin/sh\\nexec /bin/busybox sleep %g\\n' > disconnect\n"
        "chmod +x disconnect\n"
        /* a TCP server has a socket for each client */
        "ulimit -n 65536\n"
        "{ %s /bin/openvpn --config conf; echo $? > exit; } > log 2>&1 &\n",
        server, server, server, 8 + server, options->tcp ? "tcp4-server" : "udp4",
        SERVER_PORT + server, options->keepalive_interval, options->keepalive_timeout,
        share + (share < 64 ? 16 : share / 4), options->status_interval,
        options->script ? "script-security 2\nclient-disconnect disconnect\n" : "",
        options->script, options->no_rcvbufforce ? "/bin/refuse" : ""));
}

static bool
ready(struct storm *storm)
{
    if (storm->now.dead)
    {
        fail(storm, "a server ended with status %d before there was a client, see server-*.log",
             storm->now.exit_status);
    }
    return storm->now.ready == storm->options->servers;
}

void
servers_up(struct storm *storm)
{
    const struct options *options = storm->options;

    if (options->rmem_max)
        free(guest_run(storm, "sysctl -w net.core.rmem_max=%d", options->rmem_max));
    for (int i = 0; i < options->servers; ++i)
        start_server(storm, i);
    sample_until(storm, ready, SERVER_LIMIT, "the servers to be ready");
    phase(storm, options->servers == 1 ? "server is ready" : "servers are ready");
}

/** Save the output of a command of the guest's. */
static void
save(struct storm *storm, const char *command, const char *name)
{
    char *content = guest_run(storm, "%s", command);
    char *path = text("%s/%s", storm->output, name);
    FILE *file = fopen(path, "w");

    if (!file || fprintf(file, "%s\n", content) < 0 || fclose(file) != 0)
        fail(storm, "cannot write %s: %s", name, strerror(errno));
    free(path);
    free(content);
}

void
save_logs(struct storm *storm)
{
    if (!storm->to_agent)
        return;
    for (int i = 0; i < storm->options->servers; ++i)
    {
        char *command = text("cat /run/%d/log", i);
        char *name = text("server-%d.log", i);

        save(storm, command, name);
        free(command);
        free(name);
    }
    save(storm, "dmesg", "dmesg.log");
}

/** It lives on after most crashes: only the thread that it was in ends. */
int
kernel_crashes(struct storm *storm)
{
    /* each has one line that ends in its number, as "Oops: Oops: 0000 [#1] SMP", and then
     * "... RIP: 0010:FUNCTION+0x1d/0x300 [ovpn_dco_v2]" */
    char *number = guest_run(storm, "dmesg | grep -c ' \\[#' || :");
    char *first = guest_run(storm, "dmesg | sed -n '/ \\[#/,$ s/.*RIP: [^:]*:\\([^+ ]*\\).*/\\1/p'"
                            " | head -n 1");
    const int count = atoi(number);

    if (count > 0)
        printf("storm: kernel: %d crashes, the first in %s\n", count, *first ? first : "?");
    else
        printf("storm: kernel: no crash\n");
    json_object_update_new(storm->run, json_pack("{s: i, s: s?}", "crashes", count,
                                                 "crash", *first ? first : NULL));
    free(number);
    free(first);
    return count;
}
