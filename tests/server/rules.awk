# SPDX-License-Identifier: GPL-2.0-only
#
# The rules of tests/server/known, which has to be the first file, for judge.awk and
# pick.awk. -v upstream=1: the base has upstream's own fix.

# Whether one of the trees of a rule (a,b?,c) is this one; sets certain
function is_for(trees, tree, i, n, part)
{
    n = split(trees, part, ",")
    for (i = 1; i <= n; ++i)
    {
        certain = !sub(/\?$/, "", part[i])
        if (part[i] == (upstream && tree == "stock" ? "upstream" : tree) || (upstream && part[i] == "upstream/" tree))
            return 1
    }
    return 0
}

# The first rule that says what a scenario comes to on a tree, or 0: it passes
function rule_for(tree, scenario, r)
{
    for (r = 1; r <= rules; ++r)
    {
        if (is_for(rule_trees[r], tree) && scenario ~ rule_pattern[r])
            return r
    }
    return 0
}

FNR == 1 { ++file }
/^#/ || NF == 0 { next }
file == 1 {
    rule_trees[++rules] = $1
    rule_pattern[rules] = "^" $2 "$"
    rule_words[rules] = $3
    rule_why[rules] = substr($0, match($0, /[^ ]+ +[^ ]+ +[^ ]+ +/) + RLENGTH)
    if (!RLENGTH || RLENGTH == -1)
    {
        print "not_ok tests/server/known: no TREE SCENARIOS WORDS REASON: " $0
        rule_why[rules] = "?"
    }
    next
}
