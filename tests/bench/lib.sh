# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034,SC2154
#
# What tests/bench/run measures: which trees, and which cells. To be sourced
# after find_base, with $dir, $clients and $parts set.

# find_trees: set $trees to NAME=TREE words
find_trees()
{
    trees=
    export_tree stock "$base_dir" base
    export_tree series "$base_dir" series
    ! has_branch follow-up || export_tree follow-up "$base_dir" follow-up
    # upstream's own fix: what the newest series is written from
    fixed=$(writers | tail -n 1)
    if [ ! -d "$OPENVPN_GIT" ] || ! git -C "$OPENVPN_GIT" rev-parse -q --verify "$fixed^{commit}" > /dev/null
    then
        say "$fixed is left out: OPENVPN_GIT is no path of a repository that has it"
    else
        "$top/dev-tools/materialise" "$fixed"
        export_tree "${fixed#v}" "$top/src/openvpn/$fixed" base
        export_tree "${fixed#v}-series" "$top/src/openvpn/$fixed" series
    fi
}

# export_tree NAME REPOSITORY REVISION: its sources, to NAME.tree
export_tree()
{
    commit=$(git -C "$2" -c safe.directory='*' rev-parse "$3^{commit}")
    if [ "$(cat "$dir/$1.commit" 2>/dev/null)" != "$commit" ]
    then
        rm -rf "${dir:?}/$1" "$dir/$1.tree" "$dir/$1.commit"
        mkdir -p "$dir/$1.tree"
        git -C "$2" -c safe.directory='*' archive "$commit" | tar -C "$dir/$1.tree" -x
        echo "$commit" > "$dir/$1.commit"
    fi
    trees="$trees $1=$dir/$1.tree"
}

# sizes_of: the numbers of clients that programs are needed for
sizes_of()
{
    sizes=$clients
    case $parts in
    *one*|*idle*|*growth*) sizes="$sizes 64" ;;
    esac
    # the largest loss needs more than any receive buffer holds
    case $parts in
    *loss*) sizes="$sizes 16384" ;;
    esac
    echo "$sizes" | tr ' ' '\n' | sort -nu | tr '\n' ' '
}

# all_cells: the arguments of tests/bench/cell, what takes longest first
all_cells()
{
    for part in $parts
    do
        for tree in $trees
        do
            cells_of "$part" "$dir/${tree%%=*}" | sed "s|^|$dir/$part.new |"
        done
    done | sort -t ' ' -k 3,3nr
}

# cells_of PART DIR: "DIR CLIENTS SCENE ARGUMENT..." each
cells_of()
{
    case $1 in
    one)
        scenes="parse close"
        [ "${2##*/}" != stock ] || scenes="$scenes recv libnl libnl-peek libnl-attrs"
        for scene in $scenes
        do
            echo "$2 64 $scene 64 1"
            echo "$2 64 $scene 1 64"
        done ;;
    growth)
        for scene in lost kill exit resync walk
        do
            dumped=$("$2/bench-64" "$scene" 2>/dev/null | sed -n 's/.* dumped=\([0-9]*\).*/\1/p' || :)
            for number in $clients
            do
                # half the square
                [ $((${dumped:-0} * number * number / 4096)) -gt 10000000 ] || echo "$2 $number $scene"
            done
        done ;;
    idle)
        echo "$2 64 idle"
        echo "$2 64 open" ;;
    loss)
        for servers in 1 10 50
        do
            echo "$2 16384 loss $servers 0"
            echo "$2 16384 loss $servers 1"
        done ;;
    esac
}
