/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * What the servers of the guest hold. Server N has its files in /run/N, and the
 * interface tunN.
 */
#include "agent.h"

#include <net/if.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ovpn_dco.h"

/** What is known of a server. */
static struct server
{
    long log_seen;              /**< bytes of the log that are counted already */
    struct timespec status_seen;        /**< when the status file, as it was read, had changed */
    struct sample is;           /**< the last */
} servers[AGENT_SERVERS_MAX];

/** A message of the dump is one peer. */
static int
count_peer(struct nl_msg *msg, void *arg)
{
    struct nlattr *attrs[OVPN_ATTR_MAX + 1];
    int *count = arg;

    if (genlmsg_parse(nlmsg_hdr(msg), 0, attrs, OVPN_ATTR_MAX, NULL) == 0
        && attrs[OVPN_ATTR_GET_PEER])
    {
        ++*count;
    }
    return NL_OK;
}

static struct nl_sock *
connect_to_module(int *family)
{
    struct nl_sock *sock = nl_socket_alloc();

    if (genl_connect(sock) == 0 && (*family = genl_ctrl_resolve(sock, OVPN_NL_NAME)) >= 0)
        return sock;
    nl_socket_free(sock);
    return NULL;
}

/**
 * The number of peers of a server, by a GET_PEER dump; -1 if its interface isn't there.
 *
 * While peers are being removed a dump may leave living ones out: the module
 * resumes it by a skip count (ovpn_netlink_dump_peers() in its netlink.c).
 * So a number above 0 is an estimate then; and 0 is to be seen twice.
 */
static int
count_peers(int number)
{
    static struct nl_sock *sock;
    static int family;
    char interface[16];
    int count = 0;

    snprintf(interface, sizeof(interface), "tun%d", number);
    const unsigned int index = if_nametoindex(interface);
    if (index == 0 || (!sock && !(sock = connect_to_module(&family))))
        return -1;
    nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, count_peer, &count);
    struct nl_msg *msg = nlmsg_alloc();
    if (!genlmsg_put(msg, 0, 0, family, 0, NLM_F_DUMP, OVPN_CMD_GET_PEER, 0)
        || nla_put_u32(msg, OVPN_ATTR_IFINDEX, index) != 0 || nl_send_auto(sock, msg) < 0
        || nl_recvmsgs_default(sock) < 0)
    {
        nl_socket_free(sock);
        sock = NULL;
        count = -1;
    }
    nlmsg_free(msg);
    return count;
}

static FILE *
open_file(const char *format, int number)
{
    char path[64];

    snprintf(path, sizeof(path), format, number);
    return fopen(path, "r");
}

/** The first line of a file, or NULL; good until the next call. */
static const char *
first_line(const char *format, int number)
{
    static char line[1024];
    FILE *file = open_file(format, number);
    const char *result = file ? fgets(line, sizeof(line), file) : NULL;

    if (file)
        fclose(file);
    return result;
}

/** What the log has said since the last time, by whole lines. */
static void
read_log(int number)
{
    struct server *server = &servers[number];
    char line[4096];
    FILE *log = open_file("/run/%d/log", number);

    if (!log)
        return;
    fseek(log, server->log_seen, SEEK_SET);
    while (fgets(line, sizeof(line), log) && strchr(line, '\n'))
    {
        server->log_seen = ftell(log);
        server->is.ready |= strstr(line, "Initialization Sequence Completed") != NULL;
        server->is.rejected += strstr(line, "would exceed maximum number of clients") != NULL;
        server->is.lost += strstr(line, "notifications lost") != NULL;
        server->is.closed += strstr(line, "received, client-instance ") != NULL;
    }
    fclose(log);
}

/** The status file is written in place: what has no END yet is left alone. */
static void
read_status(int number)
{
    struct server *server = &servers[number];
    struct sample found = server->is;
    char line[4096];
    struct stat file;
    bool complete = false;
    FILE *status = open_file("/run/%d/status", number);

    if (!status)
        return;
    fstat(fileno(status), &file);
    const bool changed = memcmp(&file.st_mtim, &server->status_seen, sizeof(file.st_mtim)) != 0;
    found.instances = found.undefined = 0;
    while (changed && fgets(line, sizeof(line), status))
    {
        int address = 0;

        /* CLIENT_LIST, its name, its real address, its address in the tunnel */
        if (strncmp(line, "CLIENT_LIST,", 12) == 0)
        {
            sscanf(line, "%*[^,],%*[^,],%*[^,],%n", &address);
            if (address && line[address] != ',')
                ++found.instances;
            else
                ++found.undefined;
        }
        else if (strncmp(line, "TIME,", 5) == 0)
        {
            found.updated = atof(strrchr(line, ',') + 1);
        }
        complete = strcmp(line, "END\n") == 0;
    }
    fclose(status);
    if (complete)
    {
        server->is = found;
        server->status_seen = file.st_mtim;
    }
}

static void
read_process(int number)
{
    struct sample *is = &servers[number].is;
    const char *pid = first_line("/run/%d/pid", number);
    const char *stat = pid ? first_line("/proc/%d/stat", atoi(pid)) : NULL;
    unsigned long user;
    unsigned long system;

    /* proc(5): the name is in parentheses; utime is field 14, stime 15 */
    if (stat && sscanf(strrchr(stat, ')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                       &user, &system) == 2)
    {
        is->cpu = (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
    }
    const char *status = first_line("/run/%d/exit", number);
    is->dead = status != NULL;
    is->exit_status = status ? atoi(status) : 0;
}

/** Of all generic-netlink sockets: nobody else in the guest leaves something in one. */
static void
read_sockets(struct sample *sum)
{
    char line[512];
    int protocol;
    int queued;
    int drops;
    FILE *table = fopen("/proc/net/netlink", "r");

    while (table && fgets(line, sizeof(line), table))
    {
        /* netlink_seq_show() in the kernel's net/netlink/af_netlink.c */
        if (sscanf(line, "%*s %d %*u %*s %d %*d %*d %*d %d", &protocol, &queued, &drops) == 3
            && protocol == NETLINK_GENERIC)
        {
            sum->queued += queued;
            sum->drops += drops;
        }
    }
    if (table)
        fclose(table);
}

void
servers_sample(struct sample *sum, int number)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    *sum = (struct sample){ .guest_time = (double)now.tv_sec + (double)now.tv_nsec / 1e9 };
    sum->updated = sum->guest_time;
    for (int i = 0; i < number; ++i)
    {
        const struct sample *is = &servers[i].is;
        const int peers = count_peers(i);

        read_log(i);
        read_status(i);
        read_process(i);
        sum->peers = peers < 0 || sum->peers < 0 ? -1 : sum->peers + peers;
        sum->updated = is->updated < sum->updated ? is->updated : sum->updated;
        sum->instances += is->instances;
        sum->undefined += is->undefined;
        sum->ready += is->ready;
        sum->rejected += is->rejected;
        sum->lost += is->lost;
        sum->closed += is->closed;
        sum->cpu += is->cpu;
        sum->dead += is->dead;
        sum->exit_status = is->dead ? is->exit_status : sum->exit_status;
    }
    read_sockets(sum);
}
