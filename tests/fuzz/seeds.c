/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Writes the seed corpus of the fuzz target, always the same one. The messages
 * are built by the mock of the unit tests; records.h says what an input is.
 *
 * Also the inputs of tests/fuzz/corpus: a line each, in hexadecimal.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "syshead.h"

#include "mock_netlink.h"
#include "mock_openvpn.h"
#include "records.h"

#define BAD(name, ...) { name, { __VA_ARGS__ } }

/* what a message between two good ones can lack */
static const struct
{
    const char *name;
    struct bad_message bad;
} bad_seeds[] = {
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

/* seeds of whole records: good:1:3 are notifications of the peers 1 to 3, a datagram each,
 * gone:1 is about peer 1, EINTR:0:2 comes twice */
#define TIMES_11(words) words words words words words words words words words words words
static const struct
{
    const char *name;
    const char *records;
} plain_seeds[] = {
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
};

/* what the seed is made of so far */
static FILE *seed;

static void
begin(const char *name)
{
    seed = fopen(name, "wb");
    if (!seed)
    {
        perror(name);
        exit(1);
    }
}

static void
end(void)
{
    if (ferror(seed) | fclose(seed))
    {
        fprintf(stderr, "seeds: cannot write: %s\n", strerror(errno));
        exit(1);
    }
}

static void
put_length(unsigned int length)
{
    fputc(length & 0xff, seed);
    fputc(length >> 8, seed);
}

/** One record: the messages of a batch, which is empty then. */
static void
put_datagram(struct batch *batch)
{
    put_length(batch->len);
    fwrite(batch->data, 1, batch->len, seed);
    batch->len = 0;
}

/** \a n records of one good message each, for peer-ids from \a first on. */
static void
put_good(int first, int n)
{
    static struct batch batch;

    for (int i = 0; i < n; ++i)
    {
        del_peer(&batch, first + i, OVPN_DEL_PEER_REASON_EXPIRED);
        put_datagram(&batch);
    }
}

static struct nlmsghdr *
add_good(struct batch *batch, int peer_id)
{
    struct nlmsghdr *nlh = (struct nlmsghdr *)(batch->data + batch->len);

    del_peer(batch, peer_id, OVPN_DEL_PEER_REASON_TRANSPORT_ERROR);
    return nlh;
}

static void
write_plain(void)
{
    for (size_t i = 0; i < SIZE(plain_seeds); ++i)
    {
        begin(plain_seeds[i].name);
        for (const char *word = plain_seeds[i].records; *word; word += strspn(word, " "))
        {
            char name[16];
            int peer = 0;
            int n = 1;

            sscanf(word, "%15[^: ]:%d:%d", name, &peer, &n);
            word += strcspn(word, " ");
            if (!strcmp(name, "good"))
            {
                put_good(peer, n);
                continue;
            }
            size_t control = 0;
            while (strcmp(controls[control].name, name))
                ++control;
            for (int j = 0; j < n; ++j)
                put_length(controls[control].length + peer);
        }
        end();
    }
}

static void
write_batches(void)
{
    static struct batch batch;

    begin("userspace");
    del_peer(&batch, 1, OVPN_DEL_PEER_REASON_USERSPACE);
    put_datagram(&batch);
    end();

    begin("batch");
    for (int i = 0; i < 3; ++i)
        add_good(&batch, i);
    put_datagram(&batch);
    end();

    /* beyond 4 KiB */
    begin("large-batch");
    for (int i = 100; i > 0; --i)
        add_good(&batch, i);
    put_datagram(&batch);
    end();

    begin("flags");
    add_good(&batch, 1)->nlmsg_flags = NLM_F_MULTI;
    add_good(&batch, 2)->nlmsg_flags = 0x10;    /* NLM_F_DUMP_INTR */
    add_good(&batch, 3)->nlmsg_flags = NLM_F_ACK;
    add_good(&batch, 4)->nlmsg_seq = 4711;
    put_datagram(&batch);
    end();
}

static void
write_bad(void)
{
    static struct batch batch;

    for (size_t i = 0; i < SIZE(bad_seeds); ++i)
    {
        /* who believes it closes client 11 */
        begin(bad_seeds[i].name);
        put_length(RECORD_CLIENTS);
        put_length(RECORD_GONE(11));
        add_good(&batch, 10);
        add_bad_message(&batch, &bad_seeds[i].bad);
        add_good(&batch, 12);
        put_datagram(&batch);
        put_good(13, 1);
        end();
    }

    /* a length that ends the datagram for every reader */
    begin("short-length");
    add_good(&batch, 1);
    add_good(&batch, 2)->nlmsg_len = 4;
    put_datagram(&batch);
    end();

    /* nor does this take away what is ahead of it; with the garbage no canary is
     * behind it */
    begin("unknown-command");
    add_good(&batch, 1);
    add_bad_message(&batch, &(struct bad_message){ .attrs = ALL_ATTRS, .cmd = OVPN_CMD_GET_PEER });
    memset(batch.data + batch.len, 0x5a, 21);
    batch.len += 21;
    put_datagram(&batch);
    end();

    /* what is behind the empty attribute is 5, too */
    begin("empty-peer-id-5");
    put_length(RECORD_GONE(5));
    add_good(&batch, 5);
    batch.data[batch.len - 8] = NLA_HDRLEN;
    put_datagram(&batch);
    end();

    /* a malformed message may cost the one behind it, which an error makes good */
    begin("lost-with-the-datagram");
    add_good(&batch, 1);
    add_bad_message(&batch, &(struct bad_message){ .type = NLMSG_ERROR });
    put_datagram(&batch);
    put_length(RECORD_ERROR(ENOBUFS));
    put_length(RECORD_PAUSE);
    end();

    begin("garbage");
    add_good(&batch, 1);
    memset(batch.data + batch.len, 0x5a, 21);
    batch.len += 21;
    put_datagram(&batch);
    end();
}

static int
hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *digit = c ? strchr(digits, c) : NULL;

    return digit ? (int)(digit - digits) : -1;
}

/** Write the inputs of a text, without its comments, to kept-0001 and so on. */
static void
write_kept(FILE *text, const char *name)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    for (int n = 0, number = 1; (len = getline(&line, &size, text)) > 0; ++number)
    {
        char seed_name[32];

        if (line[0] == '#' || line[0] == '\n')
            continue;
        snprintf(seed_name, sizeof(seed_name), "kept-%04d", ++n);
        begin(seed_name);
        for (char *c = line; *c && *c != '\n'; c += 2)
        {
            if (hex_digit(c[0]) < 0 || hex_digit(c[1]) < 0)
            {
                fprintf(stderr, "seeds: %s: line %d is not in hexadecimal\n", name, number);
                exit(1);
            }
            fputc(hex_digit(c[0]) << 4 | hex_digit(c[1]), seed);
        }
        end();
    }
    free(line);
}

int
main(int argc, char **argv)
{
    if (argc != 3 || argv[1][0] == '-')
    {
        puts("Usage: seeds DIR TEXT\n\n"
             "Writes the seed corpus of the fuzz target, a file each, into the folder DIR,\n"
             "and with it the inputs of TEXT: a line each, in hexadecimal.");
        return argc != 2 || strcmp(argv[1], "--help") ? 2 : 0;
    }
    FILE *kept = fopen(argv[2], "r");
    if (!kept || chdir(argv[1]))
    {
        fprintf(stderr, "seeds: %s: %s\n", argv[kept ? 1 : 2], strerror(errno));
        return 1;
    }
    write_plain();
    write_batches();
    write_bad();
    write_kept(kept, argv[2]);
    fclose(kept);
    return 0;
}
