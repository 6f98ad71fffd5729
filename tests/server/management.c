/* SPDX-License-Identifier: GPL-2.0-only */
#include "management.h"
#include "client.h"
#include "verdict.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* It stays open: the server takes one connection at a time */
static int connection = -1;

/* Read what the server wrote, so that it can write on. Returns whether the
 * connection is still there: it is not when the server has restarted. */
static bool
drain(void)
{
    char discarded[4096];
    ssize_t got;
    do
    {
        got = recv(connection, discarded, sizeof(discarded), MSG_DONTWAIT);
    } while (got > 0);
    return got < 0;
}

void
management_command(const char *format, ...)
{
    char text[128];
    va_list args;
    va_start(args, format);
    const int size = vsnprintf(text, sizeof(text), format, args);
    va_end(args);

    if (connection >= 0 && !drain())
    {
        close(connection);
        connection = -1;
    }
    if (connection < 0)
    {
        const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "management" };
        connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(connection, (const void *)&address, sizeof(address)))
            verdict_stop("setup", "no management interface");
    }
    if (send(connection, text, size, MSG_NOSIGNAL) != size)
        verdict_stop("setup", "the management interface takes no command");
}

/* Probes */

/* A probe that is on its way, and the scripts that it has waited for */
struct probe
{
    bool sent;
    unsigned int waited;
};

static struct probe command, packet;
static int fd = -1;
static unsigned int accepted, accepted_before;

int __real_accept(int listening, struct sockaddr *address, socklen_t *size);

int
__wrap_accept(int listening, struct sockaddr *address, socklen_t *size)
{
    ++accepted;
    return __real_accept(listening, address, size);
}

static struct sockaddr_in
loopback(uint32_t address, uint16_t port)
{
    return (struct sockaddr_in) {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)
    };
}

/* A client's first packet, P_CONTROL_HARD_RESET_CLIENT_V2: the server answers it
 * without an instance (mudp.c: send_hmac_reset_packet()) */
static const unsigned char reset[] = {
    7 << 3,                             /* opcode, key id 0 */
    1, 2, 3, 4, 5, 6, 7, 8,             /* session id */
    0,                                  /* acknowledges nothing */
    0, 0, 0, 0                          /* packet id */
};

static void
send_packet(bool tcp)
{
    const struct sockaddr_in from = loopback(client_server_address() + 1 + CLIENTS, 0);
    const struct sockaddr_in to = loopback(client_server_address(), 1194);
    if (tcp || fd < 0)
    {
        close(fd);
        fd = socket(AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
        accepted_before = accepted;
        if (fd < 0 || bind(fd, (const void *)&from, sizeof(from))
            || connect(fd, (const void *)&to, sizeof(to)))
        {
            verdict_stop("setup", "no connection to the server");
        }
    }
    if (!tcp && send(fd, reset, sizeof(reset), MSG_NOSIGNAL) != sizeof(reset))
        verdict_stop("setup", "no packet to the server");
}

/* net/unix/af_unix.c: unix_outq_len() */
static bool
command_was_read(void)
{
    int left = 0;
    return ioctl(connection, SIOCOUTQ, &left) == 0 && left == 0;
}

static bool
packet_was_served(void)
{
    char answer[512];
    return accepted != accepted_before || recv(fd, answer, sizeof(answer), MSG_DONTWAIT) > 0;
}

static void
begins(struct probe *probe, bool served, const char *what)
{
    probe->sent = probe->sent && !served;
    if (probe->sent && probe->waited > 0)
        verdict_add("starves", "%s has waited for %u scripts, and more are run", what,
                    probe->waited);
}

/* Returns whether there is none on its way */
static bool
ends(struct probe *probe)
{
    const bool none = !probe->sent;
    probe->waited = none ? 0 : probe->waited + 1;
    probe->sent = true;
    return none;
}

void
probe_script_begins(void)
{
    begins(&command, command.sent && command_was_read(), "the management interface");
    begins(&packet, packet.sent && packet_was_served(), "a packet");
}

void
probe_script_ends(bool tcp)
{
    if (ends(&command))
        management_command("pid\n");
    if (ends(&packet))
        send_packet(tcp);
}
