/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Writes the seed corpus of the fuzz target, always the same one. The messages
 * are built by the mock of the unit tests; records.h says what an input is.
 *
 * Also inputs as text and back, as libFuzzer's are kept in tests/fuzz/corpus: a
 * line each, in hexadecimal.
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

static const int errors[] = { EINTR, EAGAIN, ENOBUFS, ENOMEM, ENODEV, ECONNRESET };

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
write_good(void)
{
    static struct batch batch;

    /* the target sends a message of its own behind it */
    begin("nothing");
    end();

    begin("one");
    put_good(1, 1);
    end();

    begin("userspace");
    del_peer(&batch, 1, OVPN_DEL_PEER_REASON_USERSPACE);
    put_datagram(&batch);
    end();

    begin("batch");
    for (int i = 0; i < 3; ++i)
    {
        add_good(&batch, i);
    }
    put_datagram(&batch);
    end();

    /* empty datagrams cost two bytes each */
    begin("storm");
    put_good(0, 130);
    end();
    begin("empty-storm");
    for (int i = 0; i < 130; ++i)
    {
        put_length(0);
    }
    end();

    /* beyond 4 KiB */
    begin("large-batch");
    for (int i = 100; i > 0; --i)
    {
        add_good(&batch, i);
    }
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

    /* what is behind the empty attribute is 5, too */
    begin("empty-peer-id-5");
    put_length(RECORD_GONE(5));
    add_good(&batch, 5);
    batch.data[batch.len - 8] = NLA_HDRLEN;
    put_datagram(&batch);
    end();

    begin("garbage");
    add_good(&batch, 1);
    memset(batch.data + batch.len, 0x5a, 21);
    batch.len += 21;
    put_datagram(&batch);
    end();
}

/* errors mean that something was lost */
static void
write_lost(void)
{
    /* one is gone, one has told; later more is lost */
    begin("lost");
    put_length(RECORD_GONE(1));
    put_length(RECORD_ERROR(ENOBUFS));
    put_good(2, 1);
    put_length(RECORD_PAUSE);
    put_length(RECORD_GONE(3));
    put_length(RECORD_GONE(4));
    put_length(RECORD_ERROR(ENOBUFS));
    end();

    begin("lost-alone");
    put_length(RECORD_GONE(1));
    put_length(RECORD_ERROR(ENOBUFS));
    put_length(RECORD_PAUSE);
    end();

    /* nothing is asked for before the queue is empty, nor without an error */
    begin("lost-later");
    put_length(RECORD_GONE(0));
    put_length(RECORD_GONE(5));
    put_good(6, 2);
    put_length(RECORD_PAUSE);
    put_length(RECORD_ERROR(ENOBUFS));
    put_good(100, 70);
    end();

    begin("lost-truncated");
    put_length(RECORD_GONE(1));
    put_length(RECORD_TRUNCATED);
    put_good(2, 1);
    end();

    /* a malformed message may cost the one behind it, which an error makes good */
    static struct batch batch;
    begin("lost-with-the-datagram");
    add_good(&batch, 1);
    add_bad_message(&batch, &(struct bad_message){ .type = NLMSG_ERROR });
    put_datagram(&batch);
    put_length(RECORD_ERROR(ENOBUFS));
    put_length(RECORD_PAUSE);
    end();

    begin("lost-of-many");
    put_length(RECORD_CLIENTS);
    put_length(RECORD_GONE(0));
    put_length(RECORD_GONE(30));
    put_length(RECORD_GONE(63));
    put_length(RECORD_ERROR(ENOBUFS));
    put_length(RECORD_PAUSE);
    put_length(RECORD_GONE(62));
    put_good(80, 2);
    put_length(RECORD_ERROR(ENOMEM));
    put_good(98, 1);
    put_length(RECORD_PAUSE);
    put_good(82, 2);
    end();

    begin("lost-and-interrupted");
    put_length(RECORD_SIGNAL);
    put_length(RECORD_GONE(1));
    put_length(RECORD_GONE(2));
    put_length(RECORD_SECOND);
    put_length(RECORD_GONE(4));
    put_length(RECORD_ELSEWHERE);
    put_length(RECORD_ERROR(ENOBUFS));
    put_length(RECORD_SECOND);
    put_good(6, 1);
    put_length(RECORD_PAUSE);
    put_length(RECORD_ERROR(ECONNRESET));
    put_length(RECORD_SIGNAL);
    put_good(5, 1);
    end();

    begin("lost-again-and-again");
    for (int i = 0; i < 66; ++i)
    {
        put_length(RECORD_ERROR(i % 2 ? ENOBUFS : EINTR));
    }
    put_length(RECORD_GONE(1));
    end();

    begin("lost-and-not-woken");
    put_length(RECORD_NO_NOOP);
    put_length(RECORD_GONE(1));
    put_length(RECORD_ERROR(ENOBUFS));
    put_length(RECORD_PAUSE);
    end();
}

/* more than one datagram a call */
static void
write_elsewhere(void)
{
    begin("elsewhere");
    put_length(RECORD_ELSEWHERE);
    put_good(0, 6);
    end();

    begin("elsewhere-and-slow");
    put_length(RECORD_ELSEWHERE);
    for (int i = 0; i < 6; ++i)
    {
        put_length(RECORD_SECOND);
        put_good(i, 1);
    }
    end();

    begin("elsewhere-and-a-signal");
    put_length(RECORD_ELSEWHERE);
    put_good(0, 2);
    put_length(RECORD_SIGNAL);
    put_good(2, 3);
    end();
}

/* a new client has the peer-id */
static void
write_late(void)
{
    begin("late-notification");
    put_good(1, 3);
    put_length(RECORD_BACK(1));
    put_length(RECORD_BACK(2));
    end();

    begin("late-and-refused");
    put_good(1, 3);
    put_length(RECORD_BACK(2));
    put_length(RECORD_REFUSED);
    put_length(RECORD_REFUSED);
    end();
}

/* and the replies to requests */
static void
write_replies(void)
{
    static const unsigned int answers[] = { RECORD_REFUSED, RECORD_LATE, RECORD_NO_REPLY };
    static const char *const names[] = { "refused", "late", "no-reply" };

    for (size_t i = 0; i < SIZE(answers); ++i)
    {
        begin(names[i]);
        for (int peer = 0; peer < 8; peer += 2)
        {
            put_length(RECORD_GONE(peer));
        }
        put_length(answers[i]);
        put_length(answers[i]);
        put_length(RECORD_ERROR(ENOBUFS));
        put_length(RECORD_PAUSE);
        put_length(RECORD_ERROR(ENOBUFS));
        put_length(answers[i]);
        end();
    }
}

static void
write_controls(void)
{
    for (size_t i = 0; i < SIZE(errors); ++i)
    {
        char name[32];

        snprintf(name, sizeof(name), "errno-%d", errors[i]);
        begin(name);
        put_good(1, 1);
        put_length(RECORD_ERROR(errors[i]));
        put_good(2, 1);
        end();
    }

    begin("truncated");
    put_length(RECORD_TRUNCATED);
    put_good(1, 2);
    end();

    begin("second");
    put_good(1, 1);
    put_length(RECORD_SECOND);
    put_good(2, 3);
    end();

    begin("signal");
    put_good(1, 1);
    put_length(RECORD_SIGNAL);
    put_good(2, 3);
    end();
}

/** Print a file as a line of text. */
static void
print_input(const char *name)
{
    FILE *file = fopen(name, "rb");
    int c;

    if (!file)
    {
        fprintf(stderr, "seeds: %s: %s\n", name, strerror(errno));
        exit(1);
    }
    while ((c = fgetc(file)) != EOF)
    {
        printf("%02x", c);
    }
    putchar('\n');
    if (ferror(file))
    {
        fprintf(stderr, "seeds: %s: cannot read\n", name);
        exit(1);
    }
    fclose(file);
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
        {
            continue;
        }
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
    if (argc == 2 && !strcmp(argv[1], "--help"))
    {
        puts("Usage: seeds DIR [TEXT]\n"
             "       seeds --print FILE...\n\n"
             "Writes the seed corpus of the fuzz target, a file each, into the folder DIR,\n"
             "and with it the inputs of TEXT: a line each, in hexadecimal. --print prints the\n"
             "inputs in files as such lines.");
        return 0;
    }
    if (argc > 2 && !strcmp(argv[1], "--print"))
    {
        for (int i = 2; i < argc; ++i)
        {
            print_input(argv[i]);
        }
        return 0;
    }
    if (argc < 2 || argc > 3 || argv[1][0] == '-')
    {
        fputs("seeds: one folder, please; see seeds --help\n", stderr);
        return 2;
    }
    FILE *kept = argc == 3 ? fopen(argv[2], "r") : NULL;
    if (argc == 3 && !kept)
    {
        fprintf(stderr, "seeds: %s: %s\n", argv[2], strerror(errno));
        return 1;
    }
    if (chdir(argv[1]))
    {
        fprintf(stderr, "seeds: %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    write_good();
    write_bad();
    write_controls();
    write_lost();
    write_replies();
    write_elsewhere();
    write_late();
    if (kept)
    {
        write_kept(kept, argv[2]);
        fclose(kept);
    }
    return 0;
}
