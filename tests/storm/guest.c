/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * The guest: QEMU, and the conversation with the agent in it.
 */
#include "storm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/** Seconds; without KVM, 6 to 22 were seen. */
#define BOOT_LIMIT 300

/** Seconds for a reply; under load some take a few. */
#define REPLY_LIMIT 60

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
    const struct timeval attempt = { .tv_sec = 1 };
    const int one = 1;
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(AGENT_PORT) };
    const int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    inet_pton(AF_INET, GUEST_ADDRESS, &address.sin_addr);
    setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &attempt, sizeof(attempt));
    if (connect(sock, (const struct sockaddr *)&address, sizeof(address)) != 0)
    {
        close(sock);
        return -1;
    }
    setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return sock;
}

void
guest_boot(struct storm *storm)
{
    int sock;

    printf("storm: booting the guest\n");
    storm->guest = start_qemu(storm);
    while ((sock = connect_to_agent()) < 0)
    {
        if (waitpid(storm->guest, NULL, WNOHANG) != 0)
            fail(storm, "QEMU ended, see guest.log");
        if (seconds_now() - storm->start > BOOT_LIMIT)
            fail(storm, "no guest after %d s, see guest.log", BOOT_LIMIT);
        usleep(200000);
    }
    storm->from_agent = fdopen(sock, "r");
    storm->to_agent = fdopen(dup(sock), "w");

    char *kernel = guest_run(storm, "cat /proc/sys/kernel/osrelease");
    char *module = guest_run(storm, "cat /sys/module/ovpn_dco_v2/version");
    char *version = guest_run(storm, "/bin/openvpn --version | { read -r line; echo \"$line\"; }");
    char *package = guest_run(storm, "cat /etc/package");
    json_object_update_new(storm->run, json_pack("{s: s, s: s, s: s, s: s}", "kernel", kernel,
                                                 "module", module, "version", version,
                                                 "package", package));
    phase(storm, "guest is up");
    printf("storm: Linux %s, ovpn-dco-v2 %s\nstorm: %s\nstorm: package: %s\n", kernel, module,
           version, package);
    free(kernel);
    storm->module = module;
    free(version);
    free(package);
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
    const char *problem = NULL;

    if (json_dumpf(request, storm->to_agent, JSON_COMPACT) != 0
        || fputc('\n', storm->to_agent) == EOF || fflush(storm->to_agent) != 0)
    {
        lost(storm, "doesn't listen");
    }
    json_t *reply = json_loadf(storm->from_agent, JSON_DISABLE_EOF_CHECK, NULL);
    if (!reply)
        lost(storm, "doesn't answer");
    if (json_unpack(reply, "{s: s}", "error", &problem) == 0)
        fail(storm, "in the guest: %s", problem);
    json_decref(request);
    return reply;
}

char *
guest_run(struct storm *storm, const char *script)
{
    const char *output;
    int status;
    json_t *reply = guest_ask(storm, json_pack("{s: s}", "run", script));

    if (json_unpack(reply, "{s: i, s: s}", "status", &status, "output", &output) != 0
        || status != 0)
    {
        fail(storm, "in the guest '%s' failed", script);
    }
    char *line = strndup(output, strcspn(output, "\n"));
    json_decref(reply);
    return line;
}

void
guest_save(struct storm *storm, const char *path, const char *name)
{
    char *target = text("%s/%s", storm->output, name);
    FILE *file = fopen(target, "w");
    json_int_t from = 0;
    size_t size;

    do
    {
        const char *content;
        json_t *reply = guest_ask(storm, json_pack("{s: s, s: I}", "read", path, "from", from));

        if (json_unpack(reply, "{s: s%}", "text", &content, &size) != 0)
            fail(storm, "no %s", path);
        if (!file || fwrite(content, 1, size, file) != size)
            fail(storm, "cannot write %s: %s", name, strerror(errno));
        from += (json_int_t)size;
        json_decref(reply);
    } while (size > 0);
    if (fclose(file) != 0)
        fail(storm, "cannot write %s: %s", name, strerror(errno));
    free(target);
}
