# SPDX-License-Identifier: GPL-2.0-only
#
# known, regressions, outcomes as recorded, outcomes now -> a line for each result:
#     ok|not_ok|known WHAT
# A situation is one result for each tree. A known limit is one of its own.
# With -v all=1 each recorded scenario has to be among those of now; with -v
# complete=1, which means that none was left out, each regression, too.
function outcome(tree, i)
{
    for (i = 2; i <= NF; ++i)
    {
        if (index($i, tree ":") == 1)
        {
            return substr($i, length(tree) + 2)
        }
    }
    return "missing"
}

# A server that never makes the request passes: nothing can come in between
function passes(what)
{
    return what == "pass" || what == "unreached"
}

function has(what, word)
{
    return index("+" what "+", "+" word "+") > 0
}

# An outcome without one of its words
function less(what, word)
{
    what = "+" what "+"
    sub("\\+" word "\\+", "+", what)
    gsub(/^\++|\++$/, "", what)
    return what == "" ? "pass" : what
}

# What passes without the series has to pass with it, or be listed. That stock
# reports other byte counts than the kernel's isn't to hide what else is worse.
function regressed(stock, patched, i)
{
    if (stock != "pass")
    {
        stock = less(stock, "bytes")
        patched = less(patched, "bytes")
    }
    if (stock != "pass" || passes(patched))
    {
        return 0
    }
    for (i = 1; i <= exceptions; ++i)
    {
        if ($1 ~ exception[i])
        {
            return 0
        }
    }
    return 1
}

# The limit that a scenario shows on a tree. Sets certain: whether it has to,
# and allowed: the words that its outcome may have.
function limit_of(tree, i)
{
    for (i = 1; i <= limits; ++i)
    {
        certain = limit_tree[i] == tree
        if ((certain || limit_tree[i] == tree "?") && $1 ~ limit_pattern[i])
        {
            allowed = limit_words[i]
            return limit[i]
        }
    }
    return ""
}

function within(what, words, i, n, part)
{
    n = split(what, part, "+")
    for (i = 1; i <= n; ++i)
    {
        # that the request isn't made is no fault; what else went wrong may be
        if (part[i] != "unreached" && index("," words ",", "," part[i] ",") == 0)
        {
            return 0
        }
    }
    return n > 0
}

function judge(tree, group, why, what, before)
{
    what = outcome(tree)
    before = recorded[$1, tree]
    why = limit_of(tree)
    if (what == "unreached" && before && before != what)
    {
        print "not_ok " tree ": " $1 ": the request is no longer made, and was: " before
    }
    else if (before && has(before, "unreached") && !has(what, "unreached"))
    {
        print "not_ok " tree ": " $1 ": the request is made now, and was not: " what
    }
    else if (what == "pass" && why && certain)
    {
        print "not_ok " tree ": " $1 ": passes, and is called a known limit: " why
    }
    else if (!passes(what) && why && within(what, allowed))
    {
        print "known " tree ": " $1 ": " what " # TODO doc/known-limits.rst: " why
    }
    else if (!passes(what))
    {
        bad[tree, group] = bad[tree, group] " " $1 ":" what
    }
}

FNR == 1 { ++file }
/^#/ || NF == 0 { next }
file == 1 {
    limit_tree[++limits] = $1
    limit_pattern[limits] = "^" $2 "$"
    limit_words[limits] = $3
    limit[limits] = substr($0, match($0, /[^ ]+ +[^ ]+ +[^ ]+ +/) + RLENGTH)
    next
}
file == 2 {
    exception[++exceptions] = "^" $1 "$"
    next
}
file == 3 {
    names[++scenarios] = $1
    recorded[$1, "stock"] = outcome("stock")
    recorded[$1, "patched"] = outcome("patched")
    recorded[$1, "follow-up"] = outcome("follow-up")
    next
}
{
    played[$1] = 1
    group = $1
    sub(/^[^\/]*\/[^\/]*\/[^\/]*/, "&\n", group)
    sub(/(\.[0-9]+)?\n.*/, "", group)
    if (!total[group]++)
    {
        groups[++n] = group
    }
    judge("patched", group)
    judge("follow-up", group)
    if (regressed(outcome("stock"), outcome("patched")))
    {
        print "not_ok regression: " $1 ": stock:" outcome("stock") ", with the series: " outcome("patched")
        ++worse
    }
    for (e = 1; e <= exceptions; ++e)
    {
        excepted[e] += $1 ~ exception[e]
    }
    red[group] += !passes(outcome("stock"))
    was_red[group] += ($1, "stock") in recorded && !passes(recorded[$1, "stock"])
}
END {
    for (g = 1; g <= n; ++g)
    {
        group = groups[g]
        text = group ": " total[group] " scenarios, " red[group] + 0 " red without the series"
        print(bad["patched", group] ? "not_ok " text "; with it:" bad["patched", group] : "ok " text)
        text = "follow-up: " group
        print(bad["follow-up", group] ? "not_ok " text ":" bad["follow-up", group] : "ok " text)
        # what stock gets wrong may depend on the order of its clients' timers
        if (was_red[group] && !red[group])
        {
            print "not_ok control: " group ": without the series none of them fails any more"
        }
    }
    for (s = 1; all && s <= scenarios; ++s)
    {
        if (!(names[s] in played))
        {
            print "not_ok " names[s] ": has not been played"
        }
    }
    for (e = 1; complete && e <= exceptions; ++e)
    {
        if (!excepted[e])
        {
            print "not_ok tests/server/regressions: there is no " exception[e]
        }
    }
    if (!worse)
    {
        print "ok what passes without the series passes with it, but for tests/server/regressions"
    }
    print(n ? "ok" : "not_ok") " scenarios have been played"
}
