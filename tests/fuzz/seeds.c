/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Writes the seed corpus of the fuzz target, always the same one. The messages
 * are built by the mock of the unit tests; records.h says what an input is.
 */
#include "mock_main.h"

#include <err.h>

#include "mock_netlink.h"
#include "mock_openvpn.h"
#include "records.h"

/* the reasons of valid notifications, by name */
static const struct
{
    const char *name;
    int reason;
} reasons[] = {
    { "good", OVPN_DEL_PEER_REASON_EXPIRED }, { "other", OVPN_DEL_PEER_REASON_TRANSPORT_ERROR },
    { "closed", OVPN_DEL_PEER_REASON_USERSPACE },
};

#define BAD(name, ...) { name, { __VA_ARGS__ } }

/* what a message can lack. Each makes a seed: BAD_SEED, with its name */
static const struct
{
    const char *name;
    struct bad_message bad;
} bad_messages[] = {
    BAD("no-attributes", 0),
    BAD("no-ifindex", .attrs = ALL_ATTRS & ~IFINDEX_ATTR),
    BAD("no-del-peer", .attrs = IFINDEX_ATTR),
    BAD("no-reason", .attrs = ALL_ATTRS & ~REASON_ATTR),
    BAD("no-peer-id", .attrs = ALL_ATTRS & ~PEER_ID_ATTR),
    BAD("empty-ifindex", .attrs = ALL_ATTRS, .empty = IFINDEX_ATTR),
    BAD("empty-del-peer", .attrs = ALL_ATTRS, .empty = DEL_PEER_ATTR),
    BAD("empty-reason", .attrs = ALL_ATTRS, .empty = REASON_ATTR),
    BAD("empty-peer-id", .attrs = ALL_ATTRS, .empty = PEER_ID_ATTR),
    BAD("foreign-ifindex", .attrs = ALL_ATTRS, .ifindex = IFINDEX + 1),
    BAD("foreign-family", .attrs = ALL_ATTRS, .type = FAMILY_ID + 1),
    BAD("long-del-peer", .attrs = ALL_ATTRS, .nested_len = 200),
    BAD("large-peer-id", .attrs = ALL_ATTRS, .peer_id = MAX_PEER_ID + 1),
    BAD("get-peer", .attrs = ALL_ATTRS, .cmd = OVPN_CMD_GET_PEER),
    BAD("noop", .attrs = ALL_ATTRS, .type = NLMSG_NOOP),
    BAD("error", .attrs = ALL_ATTRS, .type = NLMSG_ERROR),
    BAD("short-error", .type = NLMSG_ERROR),
    BAD("done", .attrs = ALL_ATTRS, .type = NLMSG_DONE),
    BAD("overrun", .attrs = ALL_ATTRS, .type = NLMSG_OVERRUN),
    BAD("no-genl-header", .cut = GENL_HDRLEN + NLA_HDRLEN + 4),
    BAD("unaligned", .attrs = ALL_ATTRS, .cut = 3),
};
/* who believes it closes client 11 */
#define BAD_SEED "clients gone:11 [ other:10 %s other:12 ] good:13"

/* what is no message, by name */
static const struct
{
    const char *name;
    unsigned int length;
} controls[] = {
    { "truncated", RECORD_TRUNCATED }, { "gone", RECORD_GONE(0) }, { "back", RECORD_BACK(0) },
    { "no-noop", RECORD_NO_NOOP }, { "clients", RECORD_CLIENTS }, { "refused", RECORD_REFUSED },
    { "late", RECORD_LATE }, { "no-reply", RECORD_NO_REPLY }, { "elsewhere", RECORD_ELSEWHERE },
    { "pause", RECORD_PAUSE }, { "second", RECORD_SECOND }, { "signal", RECORD_SIGNAL },
    { "empty", 0 }, { "EINTR", RECORD_ERROR(EINTR) }, { "EAGAIN", RECORD_ERROR(EAGAIN) },
    { "ENOBUFS", RECORD_ERROR(ENOBUFS) }, { "ENOMEM", RECORD_ERROR(ENOMEM) },
    { "ENODEV", RECORD_ERROR(ENODEV) }, { "ECONNRESET", RECORD_ERROR(ECONNRESET) },
};

/*
 * The other seeds. good:1:3 are notifications of the peers 1 to 3, a datagram each, or all
 * in one between [ and ]; good:3:-3 are 3 to 1. gone:1 is about peer 1, EINTR:0:2 comes
 * twice. length:4 sets that field of the message ahead, flags and seq others, and attr the
 * length of its last attribute.
 */
#define TIMES_11(words) words words words words words words words words words words words
static const struct
{
    const char *name;
    const char *words;
} seeds[] = {
    { "nothing", "" },          /* the target sends a message of its own behind it */
    { "one", "good:1" },
    { "storm", "good:0:130" },
    { "empty-storm", "empty:0:130" },
    { "errno-4", "good:1 EINTR good:2" },
    { "errno-11", "good:1 EAGAIN good:2" },
    { "errno-12", "good:1 ENOMEM good:2" },
    { "errno-19", "good:1 ENODEV good:2" },
    { "errno-104", "good:1 ECONNRESET good:2" },
    { "errno-105", "good:1 ENOBUFS good:2" },
    { "truncated", "truncated good:1:2" },
    { "second", "good:1 second good:2:3" },
    { "signal", "good:1 signal good:2:3" },
    /* errors mean that something was lost: one is gone, one has told; later more is lost */
    { "lost", "gone:1 ENOBUFS good:2 pause gone:3 gone:4 ENOBUFS" },
    { "lost-alone", "gone:1 ENOBUFS pause" },
    /* nothing is asked for before the queue is empty, nor without an error */
    { "lost-later", "gone:0 gone:5 good:6:2 pause ENOBUFS good:100:70" },
    { "lost-truncated", "gone:1 truncated good:2" },
    { "lost-of-many", "clients gone:0 gone:30 gone:63 ENOBUFS pause gone:62 good:80:2 ENOMEM good:98 pause good:82:2" },
    { "lost-and-interrupted", "signal gone:1 gone:2 second gone:4 elsewhere ENOBUFS second good:6 pause ECONNRESET "
      "signal good:5" },
    { "lost-again-and-again", TIMES_11("EINTR ENOBUFS EINTR ENOBUFS EINTR ENOBUFS ") "gone:1" },
    { "lost-and-not-woken", "no-noop gone:1 ENOBUFS pause" },
    /* and the replies to requests */
    { "refused", "gone:0 gone:2 gone:4 gone:6 refused:0:2 ENOBUFS pause ENOBUFS refused" },
    { "late", "gone:0 gone:2 gone:4 gone:6 late:0:2 ENOBUFS pause ENOBUFS late" },
    { "no-reply", "gone:0 gone:2 gone:4 gone:6 no-reply:0:2 ENOBUFS pause ENOBUFS no-reply" },
    /* more than one datagram a call */
    { "elsewhere", "elsewhere good:0:6" },
    { "elsewhere-and-slow", "elsewhere second good:0 second good:1 second good:2 second good:3 second good:4 "
      "second good:5" },
    { "elsewhere-and-a-signal", "elsewhere good:0:2 signal good:2:3" },
    /* a new client has the peer-id */
    { "late-notification", "good:1:3 back:1 back:2" },
    { "late-and-refused", "good:1:3 back:2 refused:0:2" },
    /* several messages in a datagram */
    { "userspace", "closed:1" },
    { "userspace-last", "[ good:1 closed:1 garbage ]" },
    { "batch", "[ other:0:3 ]" },
    { "large-batch", "[ other:100:-100 ]" },    /* the clients' are beyond 4 KiB */
    { "flags", "[ other:1 flags:2 other:2 flags:16 other:3 flags:4 other:4 seq:4711 ]" },
    /* a length that ends the datagram for every reader */
    { "short-length", "[ other:1:2 length:4 ]" },
    { "garbage", "[ other:1 garbage ]" },
    /* nor does this take away what is ahead of it; with the garbage no canary is behind it */
    { "unknown-command", "[ other:1 get-peer garbage ]" },
    /* what is behind the empty attribute is 5, too */
    { "empty-peer-id-5", "gone:5 [ other:5 attr:4 ]" },
    /* a malformed message may cost the one behind it, which an error makes good */
    { "lost-with-the-datagram", "[ other:1 short-error ] ENOBUFS pause" },
};

/* what the seed is made of so far */
static FILE *seed;

static void
begin(const char *name)
{
    seed = fopen(name, "wb");
    if (!seed)
        err(1, "%s", name);
}

static void
end(void)
{
    if (ferror(seed) | fclose(seed))
        err(1, "cannot write");
}

static void
put_length(unsigned int length)
{
    fputc(length & 0xff, seed);
    fputc(length >> 8, seed);
}

/** Add a message to a batch, or change the one that ends it; false if there is none of
 * that name. */
static bool
add_message(struct batch *batch, const char *name, int number)
{
    static struct nlmsghdr *last;

    if (!strcmp(name, "flags"))
        last->nlmsg_flags = number;
    else if (!strcmp(name, "seq"))
        last->nlmsg_seq = number;
    else if (!strcmp(name, "length"))
        last->nlmsg_len = number;
    else if (!strcmp(name, "attr"))
        batch->data[batch->len - 8] = number;
    else if (!strcmp(name, "garbage"))
    {
        memset(batch->data + batch->len, 0x5a, 21);
        batch->len += 21;
    }
    else
    {
        last = (struct nlmsghdr *)(batch->data + batch->len);
        for (size_t i = 0; i < SIZE(reasons); ++i)
        {
            if (!strcmp(name, reasons[i].name))
                del_peer(batch, number, reasons[i].reason);
        }
        for (size_t i = 0; i < SIZE(bad_messages); ++i)
        {
            if (!strcmp(name, bad_messages[i].name))
                add_bad_message(batch, &bad_messages[i].bad);
        }
        return (uint8_t *)last < batch->data + batch->len;
    }
    return true;
}

/** Write one record that is no message. */
static void
put_control(const char *name, int number)
{
    size_t i = 0;

    while (strcmp(controls[i].name, name))
    {
        if (++i == SIZE(controls))
            errx(1, "no record '%s'", name);
    }
    put_length(controls[i].length + number);
}

static void
write_seed(const char *seed_name, const char *words)
{
    static struct batch batch;
    bool joined = false;

    begin(seed_name);
    for (const char *word = words; *word; word += strspn(word, " "))
    {
        char name[16];
        int number = 0;
        int times = 1;

        sscanf(word, "%15[^: ]:%d:%d", name, &number, &times);
        word += strcspn(word, " ");
        joined = name[0] == '[' || (joined && name[0] != ']');
        for (int i = 0; i < abs(times) && name[0] != '['; ++i)
        {
            if (name[0] != ']' && !add_message(&batch, name, times < 0 ? number - i : number + i))
                put_control(name, number);
            else if (!joined)
            {
                put_length(batch.len);
                fwrite(batch.data, 1, batch.len, seed);
                batch.len = 0;
            }
        }
    }
    end();
}

int
main(int argc, char **argv)
{
    if (argc != 2 || argv[1][0] == '-')
    {
        puts("Usage: seeds DIR\n\nWrites the seed corpus of the fuzz target into the folder DIR.");
        return argc != 2 || strcmp(argv[1], "--help") ? 2 : 0;
    }
    if (chdir(argv[1]))
        err(1, "%s", argv[1]);
    for (size_t i = 0; i < SIZE(seeds); ++i)
        write_seed(seeds[i].name, seeds[i].words);
    for (size_t i = 0; i < SIZE(bad_messages); ++i)
    {
        char words[80];

        snprintf(words, sizeof(words), BAD_SEED, bad_messages[i].name);
        write_seed(bad_messages[i].name, words);
    }
    return 0;
}
