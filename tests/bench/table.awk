# SPDX-License-Identifier: GPL-2.0-only
#
# Tables of the results of tests/bench/run, in reStructuredText. part: which; tree_names
# and sizes: of what, in this order.

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

BEGIN {
    n_trees = split(tree_names, trees, " ")
    n_sizes = split(sizes, size, " ")
}

{
    split("", word)
    for (i = 1; i <= NF; ++i)
    {
        equal = index($i, "=")
        word[substr($i, 1, equal - 1)] = substr($i, equal + 1)
    }
    for (name in word)
        values[word["tree"], word["arguments"], word["clients"], name] = word[name]
}

# alone and queued: what each notification took, and that in stock's terms
function cost(tree, scene,    i, line, way, ir, all)
{
    for (i = 1; i <= 2; ++i)
    {
        way = scene (i == 1 ? ",64,1" : ",1,64")
        ir = value(tree, way, 64, "ir")
        all = value("stock", way, 64, "ir")
        line = line sprintf("|%d|%.2f|%s|%s|%d", ir / 64, all ? ir / all : 0,
                            short(value(tree, way, 64, "calls") / 64),
                            short(value(tree, way, 64, "requests") / 64),
                            scene == "close" ? value(tree, way, 64, "left") : 0)
    }
    return line
}

function one(    i)
{
    row("a notification|tree|alone: instr.|of stock|calls|req.|left|64 queued: instr.|of stock|calls|req.|left")
    for (i = 1; i <= n_trees; ++i)
        row("closes nobody|" trees[i] cost(trees[i], "parse"))
    for (i = 1; i <= n_trees; ++i)
        row("closes one|" trees[i] cost(trees[i], "close"))
    print_table("One notification")
}

# how the instructions grow with the clients: 1 is linear
function slope(tree, scene, without,    i, low, high, a, b)
{
    for (i = 1; i <= n_sizes; ++i)
        if (size[i] >= 64 && cell(tree, scene, size[i], "ir", 1) ~ /^[0-9]/)
        {
            low = low ? low : size[i]
            high = size[i]
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
    if ((scene == "resync" || scene == "full") && value(tree, scene, size, "requests") + 0 == 0)
        return "none"
    return name == "ir" ? sprintf("%d", value(tree, scene, size, name) / (scene == "walk" ? 1 : size)) \
        : short(value(tree, scene, size, name) / (per ? size : 1))
}

function growth(    s, n, scenes, what, i, j, line, at)
{
    n = split("lost kill exit resync full walk", scenes, " ")
    line = "what happens|clients"
    for (j = 1; j <= n_trees; ++j)
        line = line "|" trees[j]
    row(line)
    for (s = 1; s <= n; ++s)
        for (i = 1; i <= n_sizes + 2; ++i)
        {
            line = scenes[s] "|" (i <= n_sizes ? size[i] : i == n_sizes + 1 ? "slope" : "without the list")
            for (j = 1; j <= n_trees; ++j)
                line = line "|" (i <= n_sizes ? cell(trees[j], scenes[s], size[i], "ir", 1) \
                    : slope(trees[j], scenes[s], i > n_sizes + 1))
            row(line)
        }
    print_table("Instructions per client, or of one walk")
    for (i = 1; i <= n_sizes; ++i)
        at = size[i] <= 1024 ? size[i] : at
    row("what happens|tree|calls|requests|dumped|left|longest pass: calls|requests|datagrams|dumped|instr.")
    for (s = 1; s < n; ++s)
        for (j = 1; j <= n_trees; ++j)
            if (cell(trees[j], scenes[s], at, "calls", 1) ~ /^[0-9]/)
            {
                line = scenes[s] "|" trees[j]
                split("calls requests dumped left longest_calls longest_requests longest_datagrams longest_dumped longest_ir", what, " ")
                for (i = 1; i <= 9; ++i)
                    line = line "|" (i == 9 && scenes[s] == "kill" ? "-" : cell(trees[j], scenes[s], at, what[i], i <= 3))
                row(line)
            }
    print_table(at " clients: system calls, requests and dumped peers per client; and of the longest pass")
}

END {
    if (part == "one")
        one()
    else
        growth()
}
