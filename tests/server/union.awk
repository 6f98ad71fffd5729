# SPDX-License-Identifier: GPL-2.0-only
#
# Merges what 'interleave --requests' prints for several servers: of each situation,
# on a server and in P2P mode, all requests, and of each the largest count. Nothing
# comes between those of slow-script.
$1 !~ /\/slow-script\// {
    split($1, part, "/")
    situation = (part[1] == "p2p" ? "p2p " : "server ") part[3]
    if (!(situation in known))
    {
        situations[++n] = situation
        known[situation]
    }
    for (i = 2; i <= NF; ++i)
    {
        split($i, part, ":")
        if (!((situation, part[1]) in most))
            requests[situation] = requests[situation] " " part[1]
        if (part[2] > most[situation, part[1]] + 0)
            most[situation, part[1]] = part[2]
    }
}
END {
    for (s = 1; s <= n; ++s)
    {
        line = situations[s]
        count = split(requests[line], request, " ")
        for (i = 1; i <= count; ++i)
            line = line " " request[i] ":" most[situations[s], request[i]]
        print line
    }
}
