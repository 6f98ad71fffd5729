/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * The servers of the guest: server N has its files in /run/N, and the interface
 * tunN.
 *
 * A sample of one has these members:
 *
 *  peers       in the kernel; null if its interface isn't there
 *  instances   in its status file, of clients that have been given an address, as
 *              every client that got to be a peer has
 *  undefined   likewise, of those that have not (yet)
 *  updated     when that file was written, seconds since 1970 by the guest's
 *              clock (version 2 of the format: TIME); null until then
 *  ready       it has said that it is
 *  rejected    messages that a client would be one too many
 *  lost        messages that notifications were lost
 *  closed      messages that an instance was closed because its peer had gone
 *  cpu         seconds of processor time
 *  exit        null while it runs, then what a shell would call its status
 *  sockets     its generic-netlink sockets: groups, and bytes in the receive
 *              queue (rmem) and drops, as in /proc/net/netlink
 */
#include "agent.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct server
{
    int pid;
    int exit_status;
    bool ended;
    long log_seen;              /**< bytes of the log that are counted already */
    bool ready;
    int rejected;
    int lost;
    int closed;
    int instances;
    int undefined;
    json_int_t updated;
    struct timespec status_seen;        /**< when that file, as it was read, had changed */
    double cpu;
};

static struct server servers[AGENT_SERVERS_MAX];
static int servers_count;

/** The module asks for CAP_NET_ADMIN, too (GENL_ADMIN_PERM in its netlink.c), so a
 * server can't do without it: a filter refuses this one call. */
static bool
refuse_rcvbufforce(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

    return filter
           && seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(setsockopt), 2,
                               SCMP_A1(SCMP_CMP_EQ, SOL_SOCKET),
                               SCMP_A2(SCMP_CMP_EQ, SO_RCVBUFFORCE)) == 0
           && seccomp_load(filter) == 0;
}

int
servers_start(bool rcvbufforce)
{
    char path[64];

    if (servers_count == AGENT_SERVERS_MAX)
    {
        errno = ENOSPC;
        return -1;
    }
    snprintf(path, sizeof(path), "/run/%d", servers_count);
    pid_t pid = fork();
    if (pid == 0)
    {
        /* a TCP server has a socket for each client */
        const struct rlimit files = { 65536, 65536 };

        setrlimit(RLIMIT_NOFILE, &files);
        if (chdir(path) == 0
            && dup2(open("log", O_WRONLY | O_CREAT | O_APPEND, 0644), STDOUT_FILENO) >= 0
            && dup2(STDOUT_FILENO, STDERR_FILENO) >= 0
            && (rcvbufforce || refuse_rcvbufforce()))
        {
            execl("/bin/openvpn", "openvpn", "--config", "conf", (char *)NULL);
        }
        _exit(127);
    }
    if (pid < 0)
        return -1;
    servers[servers_count++] = (struct server){ .pid = pid };
    return 0;
}

void
servers_signal(int signal)
{
    for (int i = 0; i < servers_count; ++i)
    {
        if (!servers[i].ended)
            kill(servers[i].pid, signal);
    }
}

void
servers_ended(int pid, int status)
{
    for (int i = 0; i < servers_count; ++i)
    {
        if (servers[i].pid == pid && !servers[i].ended)
        {
            servers[i].ended = true;
            servers[i].exit_status = WIFEXITED(status) ? WEXITSTATUS(status)
                                     : 128 + WTERMSIG(status);
        }
    }
}

/** What the log has said since the last time, by whole lines. */
static void
read_log(int number)
{
    struct server *server = &servers[number];
    char path[64];
    char line[4096];

    snprintf(path, sizeof(path), "/run/%d/log", number);
    FILE *log = fopen(path, "r");
    if (!log)
        return;
    fseek(log, server->log_seen, SEEK_SET);
    while (fgets(line, sizeof(line), log) && strchr(line, '\n'))
    {
        server->log_seen = ftell(log);
        server->ready |= strstr(line, "Initialization Sequence Completed") != NULL;
        server->rejected += strstr(line, "would exceed maximum number of clients") != NULL;
        server->lost += strstr(line, "notifications lost") != NULL;
        server->closed += strstr(line, "received, client-instance ") != NULL;
    }
    fclose(log);
}

/** The status file is written in place: what has no END yet is left alone. */
static void
read_status(int number)
{
    struct server *server = &servers[number];
    struct server found = { .updated = 0 };
    char path[64];
    char line[4096];
    struct stat file;
    bool complete = false;

    snprintf(path, sizeof(path), "/run/%d/status", number);
    if (stat(path, &file) != 0
        || (file.st_mtim.tv_sec == server->status_seen.tv_sec
            && file.st_mtim.tv_nsec == server->status_seen.tv_nsec))
    {
        return;
    }
    FILE *status = fopen(path, "r");
    if (!status)
        return;
    while (fgets(line, sizeof(line), status))
    {
        const char *seconds;

        if (strncmp(line, "CLIENT_LIST,", 12) == 0)
        {
            /* CLIENT_LIST, its name, its real address, its address in the tunnel */
            const char *real = strchr(line + 12, ',');
            const char *virtual = real ? strchr(real + 1, ',') : NULL;

            if (virtual && virtual[1] != ',')
                ++found.instances;
            else
                ++found.undefined;
        }
        else if (strncmp(line, "TIME,", 5) == 0 && (seconds = strrchr(line, ',')))
        {
            found.updated = atoll(seconds + 1);
        }
        complete = strcmp(line, "END\n") == 0;
    }
    fclose(status);
    if (complete)
    {
        server->instances = found.instances;
        server->undefined = found.undefined;
        server->updated = found.updated;
        server->status_seen = file.st_mtim;
    }
}

static void
read_cpu(struct server *server)
{
    char path[64];
    char line[1024] = "";
    unsigned long user;
    unsigned long system;

    snprintf(path, sizeof(path), "/proc/%d/stat", server->pid);
    FILE *stat = fopen(path, "r");
    if (!stat)
        return;
    /* proc(5): the name is in parentheses; utime is field 14, stime 15 */
    const char *rest = fgets(line, sizeof(line), stat) ? strrchr(line, ')') : NULL;
    if (rest && sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                       &user, &system) == 2)
    {
        server->cpu = (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
    }
    fclose(stat);
}

/** Whether a process has the socket of that inode. */
static bool
has_socket(int pid, unsigned long inode)
{
    char path[64];
    char wanted[64];
    bool found = false;
    struct dirent *entry;

    snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
    DIR *folder = opendir(path);
    while (folder && !found && (entry = readdir(folder)))
    {
        char target[64] = "";

        found = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1) > 0
                && strcmp(target, wanted) == 0;
    }
    if (folder)
        closedir(folder);
    return found;
}

static json_t *
sample_sockets(int pid)
{
    json_t *sockets = json_array();
    char line[512];
    FILE *table = fopen("/proc/net/netlink", "r");

    while (table && fgets(line, sizeof(line), table))
    {
        int protocol;
        char groups[16];
        int rmem;
        int drops;
        unsigned long inode;

        /* netlink_seq_show() in the kernel's net/netlink/af_netlink.c */
        if (sscanf(line, "%*s %d %*u %15s %d %*d %*d %*d %d %lu", &protocol, groups, &rmem, &drops,
                   &inode) == 5
            && protocol == NETLINK_GENERIC && has_socket(pid, inode))
        {
            json_array_append_new(sockets, json_pack("{s: s, s: i, s: i}", "groups", groups,
                                                     "rmem", rmem, "drops", drops));
        }
    }
    if (table)
        fclose(table);
    return sockets;
}

json_t *
servers_sample(void)
{
    json_t *all = json_array();

    for (int i = 0; i < servers_count; ++i)
    {
        struct server *server = &servers[i];
        char interface[16];

        snprintf(interface, sizeof(interface), "tun%d", i);
        const int peers = dco_peers(interface);
        read_log(i);
        read_status(i);
        read_cpu(server);
        json_array_append_new(all, json_pack(
            "{s: o, s: i, s: i, s: o, s: b, s: i, s: i, s: i, s: f, s: o, s: o}",
            "peers", peers < 0 ? json_null() : json_integer(peers),
            "instances", server->instances, "undefined", server->undefined,
            "updated", server->updated ? json_integer(server->updated) : json_null(),
            "ready", server->ready, "rejected", server->rejected, "lost", server->lost,
            "closed", server->closed, "cpu", server->cpu,
            "exit", server->ended ? json_integer(server->exit_status) : json_null(),
            "sockets", sample_sockets(server->pid)));
    }
    return all;
}
