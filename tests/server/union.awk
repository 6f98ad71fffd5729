# SPDX-License-Identifier: GPL-2.0-only
#
# Merges what 'interleave --requests' prints for several servers: for each
# situation all requests, and of each the largest count.
!($1 in known) { situations[++n] = $1; known[$1] }
{
    for (i = 2; i <= NF; ++i)
    {
        split($i, part, ":")
        if (!(($1, part[1]) in most))
        {
            requests[$1] = requests[$1] " " part[1]
        }
        if (part[2] > most[$1, part[1]] + 0)
        {
            most[$1, part[1]] = part[2]
        }
    }
}
END {
    print "# SPDX-License-Identifier: GPL-2.0-only"
    print "# What the server asks of the kernel in each situation, stock, patched or with the"
    print "# follow-ups, and how often. Made by: tests/server/report --requests"
    for (s = 1; s <= n; ++s)
    {
        line = situations[s]
        count = split(requests[line], request, " ")
        for (i = 1; i <= count; ++i)
        {
            line = line " " request[i] ":" most[situations[s], request[i]]
        }
        print line
    }
}
