# SPDX-License-Identifier: GPL-2.0-only
#
# Tables of the results of tests/bench/run and tests/bench/share, in reStructuredText. parts:
# which; tree_names and sizes: of what, in this order.

# row(LINE): cells separated by "|"
function row(line)
{
    rows[++n_rows] = line
}

function print_row(line, width,    n, j, cells, padded)
{
    n = split(line, cells, "|")
    for (j = 1; j <= n; ++j)
        padded = padded sprintf("%-" width[j] "s  ", cells[j])
    sub(/ +$/, "", padded)
    print padded
}

# The rows so far, the first of them the titles, unless that is all
function print_table(title,    i, j, n, last, cells, width, rule)
{
    last = n_rows
    n_rows = 0
    if (last < 2)
        return
    for (i = 1; i <= last; ++i)
    {
        n = split(rows[i], cells, "|")
        for (j = 1; j <= n; ++j)
            width[j] = length(cells[j]) > width[j] ? length(cells[j]) : width[j]
    }
    for (j = 1; j <= n; ++j)
        rule = rule (j > 1 ? "|" : "") sprintf("%" width[j] "s", "")
    gsub(/ /, "=", rule)
    printf "\n%s\n\n", title
    print_row(rule, width)
    for (i = 1; i <= last; ++i)
    {
        print_row(rows[i], width)
        if (i == 1 || i == last)
            print_row(rule, width)
    }
}

# A number with at most three significant digits after the decimal point
function short(x)
{
    return x == int(x) ? sprintf("%d", x) : sprintf("%.1f", x)
}

BEGIN {
    n_trees = split(tree_names, trees, " ")
    n_sizes = split(sizes, size, " ")
}

{
    for (i = 1; i <= NF; ++i)
    {
        split($i, pair, "=")
        word[pair[1]] = pair[2]
    }
    for (name in word)
        v[word["tree"], word["arguments"], word["clients"], name] = word[name]
    if (word["tree"] == trees[1])
        scene_names[++n_scenes] = word["arguments"]
    split("", word)
}

# alone and queued: what each notification took, and that in stock's terms
function cost(tree, scene,    i, line, way, ir, all)
{
    for (i = 1; i <= 2; ++i)
    {
        way = scene (i == 1 ? ",64,1" : ",1,64")
        ir = v[tree, way, 64, "ir"]
        all = v["stock", way, 64, "ir"]
        line = line sprintf("|%d|%.2f|%s|%s|%d", ir / 64, all ? ir / all : 0,
                            short(v[tree, way, 64, "calls"] / 64),
                            short(v[tree, way, 64, "requests"] / 64),
                            scene == "close" ? v[tree, way, 64, "left"] : 0)
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
    a = v[tree, scene, low, "ir"] - (without ? v[tree, scene, low, "list_ir"] : 0)
    b = v[tree, scene, high, "ir"] - (without ? v[tree, scene, high, "list_ir"] : 0)
    return sprintf("%.2f", log(b / a) / log(high / low))
}

function cell(tree, scene, size, name, per)
{
    if (v[tree, scene, size, "died"])
        return "exits"
    if (v[tree, scene, size, "ir"] == "")
        return "-"
    if ((scene == "resync" || scene == "full") && v[tree, scene, size, "requests"] + 0 == 0)
        return "none"
    return name == "ir" ? sprintf("%d", v[tree, scene, size, name] / (scene == "walk" ? 1 : size)) \
        : short(v[tree, scene, size, name] / (per ? size : 1))
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

# what share.c has played, in its order
function share(    i, j, line, part, key)
{
    line = "script, rest of a pass"
    for (j = 1; j <= n_trees; ++j)
        line = line "|" trees[j]
    row(line)
    for (i = 1; i <= n_scenes; ++i)
    {
        split(scene_names[i], part, ",")
        line = part[1] ", " part[2] " ms, " part[3] " ms"
        for (j = 1; j <= n_trees; ++j)
        {
            key = trees[j] SUBSEP scene_names[i] SUBSEP sizes SUBSEP
            line = line sprintf("|%d / %d / %.1f / %s", v[key "closed"], v[key "read"], v[key "waited"] / 1000,
                                v[key "left"] ? "never" : sprintf("%.1f", v[key "ended"] / 1000))
        }
        row(line)
    }
    print_table("Closed, read, waited, all closed after")
}

END {
    if (parts ~ /share/)
        share()
    if (parts ~ /one/)
        one()
    if (parts ~ /growth/)
        growth()
}
