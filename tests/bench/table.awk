# SPDX-License-Identifier: GPL-2.0-only
#
# Tables of the results of tests/bench/run, in reStructuredText. part: which.

# row(CELL, ...): to be called with cells separated by "|"
function row(line)
{
    rows[++n_rows] = line
}

# The rows so far, the first of them the titles
function print_table(title,    i, j, cells, n, width, last, rule)
{
    if (n_rows < 2)
    {
        n_rows = 0
        return
    }
    for (i = 1; i <= n_rows; ++i)
    {
        n = split(rows[i], cells, "|")
        last = n > last ? n : last
        for (j = 1; j <= n; ++j)
            if (length(cells[j]) > width[j])
                width[j] = length(cells[j])
    }
    for (j = 1; j <= last; ++j)
    {
        rule = rule (j > 1 ? "  " : "")
        for (i = 0; i < width[j]; ++i)
            rule = rule "="
    }
    printf "\n%s\n\n%s\n", title, rule
    for (i = 1; i <= n_rows; ++i)
    {
        n = split(rows[i], cells, "|")
        line = ""
        for (j = 1; j <= n; ++j)
            line = line sprintf("%s%-" width[j] "s", j > 1 ? "  " : "", cells[j])
        sub(/ +$/, "", line)
        print line
        if (i == 1)
            print rule
    }
    print rule
    n_rows = 0
}

# A number with at most three significant digits after the decimal point
function short(x)
{
    return x == int(x) ? sprintf("%d", x) : sprintf("%.1f", x)
}

function value(tree, arguments, clients, name)
{
    return values[tree, arguments, clients, name]
}

{
    split("", word)
    for (i = 1; i <= NF; ++i)
    {
        equal = index($i, "=")
        word[substr($i, 1, equal - 1)] = substr($i, equal + 1)
    }
    if (part == "storms")
    {
        sub(/,$/, "", word["options"])
        gsub(/,/, " ", word["options"])
        runs[++n_runs] = word["tree"] "|" word["clients"] "|" word["options"] "|" word["left"] "|" word["drops"] "|" \
            word["in_step"] "|" word["cpu"] "|" sprintf("%.1f", word["cpu"] * 1000 / word["clients"])
        next
    }
    tree = word["tree"]
    if (!(tree in known))
    {
        known[tree] = 1
        others[++n_others] = tree
    }
    size = word["clients"]
    if (size != "" && !(size in is_size) && word["arguments"] ~ /^(lost|kill|exit|resync|walk)$/)
    {
        is_size[size] = 1
        sizes[++n_sizes] = size + 0
    }
    for (name in word)
        values[tree, word["arguments"], size, name] = word[name]
}

# in the order of usage, whatever came first; others by name
function order_trees(    i, j, first, n, names)
{
    n = split("stock series follow-up", names, " ")
    for (i = 1; i <= n; ++i)
        if (names[i] in known)
        {
            trees[++n_trees] = names[i]
            delete known[names[i]]
        }
    for (i = 2; i <= n_others; ++i)
        for (j = i; j > 1 && others[j - 1] > others[j]; --j)
        {
            first = others[j]; others[j] = others[j - 1]; others[j - 1] = first
        }
    for (i = 1; i <= n_others; ++i)
        if (others[i] in known)
            trees[++n_trees] = others[i]
    for (i = 2; i <= n_sizes; ++i)
        for (j = i; j > 1 && sizes[j - 1] > sizes[j]; --j)
        {
            first = sizes[j]; sizes[j] = sizes[j - 1]; sizes[j - 1] = first
        }
}

# alone and queued: what each notification took, and that in the others' terms
function cost(tree, scene, against,    i, line, way, ir, all)
{
    for (i = 1; i <= 2; ++i)
    {
        way = scene (i == 1 ? ",64,1" : ",1,64")
        ir = value(tree, way, 64, "ir")
        all = value("stock", against (i == 1 ? ",64,1" : ",1,64"), 64, "ir")
        line = line sprintf("|%d|%.2f|%s|%s", ir / 64, all ? ir / all : 0,
                            short(value(tree, way, 64, "calls") / 64),
                            short(value(tree, way, 64, "allocations") / 64))
        if (scene == "close")
            line = line sprintf("|%s|%d", short(value(tree, way, 64, "requests") / 64),
                                value(tree, way, 64, "left"))
    }
    return line
}

function one(    i, n, floors, names)
{
    row("per notification|alone: instr.|of libnl|calls|alloc.|64 queued: instr.|of libnl|calls|alloc.")
    n = split("recv libnl libnl-peek libnl-attrs", floors, " ")
    split("recvmsg()|libnl|libnl, peeking|libnl, parsing", names, "|")
    for (i = 1; i <= n; ++i)
        row(names[i] cost("stock", floors[i], "libnl"))
    for (i = 1; i <= n_trees; ++i)
        row(trees[i] cost(trees[i], "parse", "libnl"))
    print_table("A notification that closes nobody")
    row("per notification|alone: instr.|of stock|calls|alloc.|req.|left|64 queued: instr.|of stock|calls|alloc.|req.|left")
    for (i = 1; i <= n_trees; ++i)
        row(trees[i] cost(trees[i], "close", "close"))
    print_table("A notification that closes an instance")
}

# how the instructions grow with the clients: 1 is linear
function slope(tree, scene, without,    i, low, high, a, b)
{
    if (cell(tree, scene, sizes[n_sizes > 1 ? 2 : 1], "ir", 1) == "none")
        return "-"
    for (i = 1; i <= n_sizes; ++i)
        if (sizes[i] >= 64 && value(tree, scene, sizes[i], "ir"))
        {
            low = low ? low : sizes[i]
            high = sizes[i]
        }
    if (!low || low == high)
        return "-"
    a = value(tree, scene, low, "ir") - (without ? value(tree, scene, low, "list_ir") : 0)
    b = value(tree, scene, high, "ir") - (without ? value(tree, scene, high, "list_ir") : 0)
    return sprintf("%.2f", log(b / a) / log(high / low))
}

function cell(tree, scene, size, name, per)
{
    if (value(tree, scene, size, "died"))
        return "exits"
    if (value(tree, scene, size, "ir") == "")
        return "-"
    if (scene == "resync" && value(tree, scene, size, "requests") + 0 == 0)
        return "none"
    return short(value(tree, scene, size, name) / (per ? size : 1))
}

function growth(    s, n, scenes, names, i, j, line, at)
{
    n = split("lost kill exit resync walk", scenes, " ")
    split("All are lost at once|The server closes them, one by one|The server exits|A resync|A walk over all", names, "|")
    for (s = 1; s <= n; ++s)
    {
        line = "clients"
        for (j = 1; j <= n_trees; ++j)
            line = line "|" trees[j]
        row(line)
        for (i = 1; i <= n_sizes; ++i)
        {
            line = sizes[i]
            for (j = 1; j <= n_trees; ++j)
                line = line "|" (cell(trees[j], scenes[s], sizes[i], "ir", 1) ~ /^[0-9]/ \
                    ? sprintf("%d", value(trees[j], scenes[s], sizes[i], "ir") / (scenes[s] == "walk" ? 1 : sizes[i])) \
                    : cell(trees[j], scenes[s], sizes[i], "ir", 1))
            row(line)
        }
        for (i = 0; i < 2; ++i)
        {
            line = i ? "without the list" : "slope"
            for (j = 1; j <= n_trees; ++j)
                line = line "|" slope(trees[j], scenes[s], i)
            row(line)
        }
        print_table(names[s] ": instructions" (scenes[s] == "walk" ? "" : " per client"))
    }
    for (i = 1; i <= n_sizes; ++i)
        at = sizes[i] <= 1024 ? sizes[i] : at
    row("what happens|tree|calls|requests|dumped|left|longest pass: calls|requests|datagrams|dumped|instr.")
    for (s = 1; s < n; ++s)
        for (j = 1; j <= n_trees; ++j)
        {
            line = scenes[s] "|" trees[j]
            line = line "|" cell(trees[j], scenes[s], at, "calls", 1) "|" cell(trees[j], scenes[s], at, "requests", 1) \
                "|" cell(trees[j], scenes[s], at, "dumped", 1) "|" cell(trees[j], scenes[s], at, "left", 0) \
                "|" cell(trees[j], scenes[s], at, "longest_calls", 0) \
                "|" cell(trees[j], scenes[s], at, "longest_requests", 0) \
                "|" cell(trees[j], scenes[s], at, "longest_datagrams", 0) \
                "|" cell(trees[j], scenes[s], at, "longest_dumped", 0) \
                "|" (scenes[s] == "kill" ? "-" : cell(trees[j], scenes[s], at, "longest_ir", 0))
            row(line)
        }
    print_table(at " clients: system calls, requests and dumped peers per client; and of the longest pass")
    row("clients|" tree_titles())
    for (i = 1; i <= n_sizes; ++i)
    {
        line = sizes[i]
        for (j = 1; j <= n_trees; ++j)
            line = line "|" cell(trees[j], "lost", sizes[i], "longest_calls", 0) " " \
                cell(trees[j], "kill", sizes[i], "longest_calls", 0)
        row(line)
    }
    print_table("The longest pass, in system calls: lost at once, and closed one by one")
}

function tree_titles(    j, line)
{
    for (j = 1; j <= n_trees; ++j)
        line = line (j > 1 ? "|" : "") trees[j]
    return line
}

function idle(    j)
{
    row("tree|idle: instr. a pass|calls|alloc.|sockets|heap|kernel memory of a socket")
    for (j = 1; j <= n_trees; ++j)
        row(sprintf("%s|%d|%d|%d|%d|%d|%s", trees[j], value(trees[j], "idle", 64, "ir") / 64,
                    value(trees[j], "idle", 64, "calls"), value(trees[j], "idle", 64, "allocations"),
                    value(trees[j], "open", "", "sockets"), value(trees[j], "open", "", "bytes"),
                    value(trees[j], "open", "", "kernel_bytes")))
    print_table("Nothing to report; heap and kernel memory in bytes")
}

function loss(    j, s, l, line, servers, way)
{
    row("tree|SO_RCVBUFFORCE|1 server|10 servers|50 servers")
    split("1 10 50", servers, " ")
    for (j = 1; j <= n_trees; ++j)
        for (l = 0; l < 2; ++l)
        {
            line = trees[j] "|" (l ? "refused" : "allowed")
            for (s = 1; s <= 3; ++s)
            {
                way = "loss," servers[s] "," l
                line = line "|" (value(trees[j], way, "", "impossible") ? "not measured" \
                    : value(trees[j], way, "", "largest") \
                    (value(trees[j], way, "", "all") + 0 ? " (all)" : "") \
                    ", room " value(trees[j], way, "", "room"))
            }
            row(line)
        }
    print_table("The largest loss at once that leaves each server alive and in step")
}

function storms(    i, options)
{
    row("server|clients|options|left|dropped|in step: s|CPU: s|CPU: ms a client")
    for (i = 1; i <= n_runs; ++i)
        row(runs[i])
    print_table("From the first removal until the server is in step")
}

END {
    order_trees()
    if (part == "one") one()
    if (part == "growth") growth()
    if (part == "idle") idle()
    if (part == "loss") loss()
    if (part == "storms") storms()
}
