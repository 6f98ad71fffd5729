# SPDX-License-Identifier: GPL-2.0-only
#
# The rules (rules.awk), the scenarios that were to be played, what became of them ->
# a line for each result:
#     ok|not_ok|known WHAT
# Each scenario has to come out on each tree as the first rule for both says, and to
# pass if there is none. A known limit is a result of its own, and all others of a
# situation are one for each tree.
#
# -v status=N     what 'interleave' ended with: 1 if the last tree fails something
# -v complete=1   some were to be played for each rule: one that decides about
#                 nothing is an error

function outcome(tree, i)
{
    for (i = 2; i <= NF; ++i)
    {
        if (index($i, tree ":") == 1)
            return substr($i, length(tree) + 2)
    }
    return "missing"
}

function has(list, separator, word)
{
    return index(separator list separator, separator word separator) > 0
}

# An outcome without 'bytes'. Stock reports other byte counts than the kernel's almost
# everywhere: that isn't to hide what else goes wrong.
function less(what)
{
    what = "+" what "+"
    sub(/\+bytes\+/, "+", what)
    gsub(/^\++|\++$/, "", what)
    return what == "" ? "pass" : what
}

# A server that never makes the request passes: nothing can come in between
function passes(what)
{
    return what == "pass" || what == "unreached"
}

# Whether all words of an outcome are of a rule's
function within(what, words, i, n, part)
{
    n = split(what, part, "+")
    for (i = 1; i <= n; ++i)
    {
        if (!has(words, ",", part[i]))
            return 0
    }
    return n > 0
}

function judge(tree, r, what)
{
    what = outcome(tree)
    r = rule_for(tree, $1)
    if (r)
    {
        is_for(rule_trees[r], tree)
        ++used[r]
    }
    if (tree == "stock" && !(r && has(rule_words[r], ",", "bytes")))
        what = less(what)
    if (has(what, "+", "setup"))
        print "not_ok setup: " tree ": " $1 ": it could not be played: " what
    else if (what == "pass" && r && certain)
        print "not_ok " tree ": " $1 ": passes, and '" rule_words[r] "' is to come: " rule_why[r]
    else if (what != "pass" && !(r && within(what, rule_words[r])))
        bad[tree, group] = bad[tree, group] " " $1 ":" what
    else if (!passes(what) && tree != "stock")
        print "known " tree ": " $1 ": " what " # TODO doc/known-limits.rst: " rule_why[r]
    red[tree, group] += !passes(what)
}

# What passes without the series passes with it, or a rule of its own says why not
function compare(stock, patched, r)
{
    if (less(stock) == "pass" && !passes(less(patched)) && less(patched) != "missing")
    {
        r = rule_for("worse", $1)
        if (r)
        {
            ++used[r]
            return
        }
        print "not_ok regression: " $1 ": stock: " stock ", with the series: " patched
        ++worse
    }
}

file == 2 {
    wanted[$1]
    names[++scenarios] = $1
    next
}
file == 3 {
    if (!($1 in wanted) || $1 in played)
        print "not_ok " $1 ": has been played, and was not to be"
    played[$1]
    group = $1
    sub(/^[^\/]*\/[^\/]*\/[^\/]*/, "&\n", group)
    sub(/(\.[0-9]+)?\n.*/, "", group)
    if (!total[group]++)
        groups[++n] = group
    judge("stock")
    judge("patched")
    judge("follow-up")
    compare(outcome("stock"), outcome("patched"))
    sub(/^.*:/, "", $NF)
    failed += !passes($NF)
}
END {
    for (g = 1; g <= n; ++g)
    {
        for (t = split("stock patched follow-up", tree, " "); t > 0; --t)
        {
            text = tree[t] ": " groups[g]
            text = text ": " total[groups[g]] " scenarios, " red[tree[t], groups[g]] " fail"
            print(bad[tree[t], groups[g]] ? "not_ok " text "; not as expected:" bad[tree[t], groups[g]] : "ok " text)
        }
    }
    for (s = 1; s <= scenarios; ++s)
    {
        if (!(names[s] in played))
            print "not_ok " names[s] ": has not been played"
    }
    for (r = 1; complete && r <= rules; ++r)
    {
        if (!used[r] && (is_for(rule_trees[r], "stock") || is_for(rule_trees[r], "patched") || is_for(rule_trees[r], "follow-up")))
            print "not_ok tests/server/known: decides about nothing: " rule_trees[r] " " rule_pattern[r]
    }
    if (!worse)
        print "ok what passes without the series passes with it, but for what tests/server/known says"
    if (status != "" && status != (failed > 0))
        print "not_ok 'interleave' ended with status " status ", and the last tree failed " failed + 0 " of its scenarios"
    print(n ? "ok" : "not_ok") " scenarios have been played"
}
