# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034,SC2154
#
# The steps of tests/bench/run, and what it shares with tests/bench/share. To be sourced
# after dev-tools/lib.sh.

dir=$top/build/bench
# upstream's own fix: what the newest series is written from
fixed=$(writers | tail -n 1)

# check_trees NAME=TREE...: each is one, or it is wrong use
check_trees()
{
    for tree
    do
        case ${tree%%=*} in
        ''|*[!A-Za-z0-9._-]*) usage_error "'$tree' is not NAME=TREE" ;;
        esac
        [ -e "${tree#*=}/src/openvpn/dco_linux.c" ] || usage_error "'${tree#*=}' is no OpenVPN tree"
    done
}

# find_trees: set $trees to NAME=TREE words
find_trees()
{
    trees=
    mkdir -p "$dir"
    export_tree stock "$base_dir" base
    export_tree series "$base_dir" series
    ! has_branch follow-up || export_tree follow-up "$base_dir" follow-up
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

# build NAME=TREE: the programs $dir/NAME/bench-CLIENTS, of the sources in TREE, which
# are compiled once, with the configuration of $BASE
build()
{
    find_base "$BASE"
    tree=${1#*=}
    of_tree=$dir/${1%%=*}
    build=$top/build/$base
    . "$top/tests/unit_tests/compile.sh"
    adapter=$(adapter_for "$tree")
    # Debian's optimisation; and what multi_init() needs
    options="-O2 -ffunction-sections -fdata-sections -Wno-incompatible-pointer-types"
    sources="$dco_multi src/openvpn/dco.c src/openvpn/mroute.c src/openvpn/reflect_filter.c"
    # shellcheck disable=SC2086 # lists of words
    if [ "$(cat "$of_tree/objects/.complete" 2>/dev/null)" != "$sources" ]
    then
        rm -rf "$of_tree/objects"
        compile_objects "$tree" "$of_tree/objects" $sources
        echo "$sources" > "$of_tree/objects/.complete"
    fi
    for number in $clients 64
    do
        # the unit tests' mocks, with room for so many
        rm -rf "$of_tree/fixtures" "$of_tree/ours"
        cp -r "$top/tests/unit_tests/openvpn" "$of_tree/fixtures"
        our_tests=$of_tree/fixtures
        for room in "N_CLIENTS $number mock_instance.h" "N_PEERS $((number < 1024 ? 1024 : number)) mock_netlink.h"
        do
            define=${room% *}
            header=$our_tests/${room##* }
            sed -i "s/^#define ${define% *}  *[0-9]*$/#define $define/" "$header"
            grep -qx "#define $define" "$header" || die "the unit tests' mocks have no ${define% *} any more"
        done
        # shellcheck disable=SC2086 # lists of words
        compile_ours "$our_tests/mock_netlink.c $our_tests/mock_openvpn.c $our_tests/mock_instance.c" \
            "$tree" "$of_tree/ours" $adapter -Dsendmsg=mock_sendmsg -Drecvmsg=mock_recvmsg
        compile_ours "$our_tests/mock_unused.c" "$tree" "$of_tree/ours"
        # shellcheck disable=SC2086 # lists of words
        compile_ours "$top/tests/bench/bench.c $top/tests/bench/measure.c" \
            "$tree" "$of_tree/ours" $adapter -I"$top/tests/bench"
        link_driver "$of_tree/bench-$number" "$of_tree"/ours/*.o "$of_tree"/objects/*.o -Wl,--gc-sections \
            -Wl,--wrap=x_msg -Wl,--wrap=close_context -Wl,--wrap=plugin_call_ssl
    done
}

# cells TREE: "cell TREE CLIENTS SCENE" words, what is to be measured
cells()
{
    for part in $parts
    do
        case $part in
        one) printf 'cell %s 64 %s\n' "$1" "parse 64 1" "$1" "parse 1 64" "$1" "close 64 1" "$1" "close 1 64" ;;
        growth)
            for scene in lost kill exit resync full walk
            do
                # shellcheck disable=SC2086 # numbers
                printf "cell $1 %s $scene\n" $clients
            done ;;
        esac
    done
}

# cell TREE CLIENTS SCENE...: play the scene, under callgrind, and add a line to
# $dir/results: NAME=NUMBER words, of them ir= (all instructions), longest_ir= (of one pass
# of the event loop) and list_ir= (of hash_remove_fast(), OpenVPN's own tables of clients)
cell()
{
    tree=$1
    clients=$2
    shift 2
    dumped=$("$dir/$tree/bench-64" "$@" 2>/dev/null | sed -n 's/.* dumped=\([0-9]*\).*/\1/p' || :)
    # half the square
    [ $((${dumped:-0} * clients * clients / 4096)) -le 10000000 ] || return 0
    make_scratch
    # in the background: a shell that waits for its foreground acts on a signal afterwards
    valgrind -q --tool=callgrind --instr-atstart=no --collect-atstart=no --combine-dumps=yes \
        --callgrind-out-file="$scratch/callgrind" "$dir/$tree/bench-$clients" "$@" > "$scratch/out" 2> "$scratch/err" &
    trap 'kill $! 2>/dev/null || :; rm -rf "$scratch"' EXIT
    if wait $!
    then
        # "fn=(ID) NAME" or "cfn=(ID) NAME" at first, and "fn=(ID)" from then on; the line after
        # a "calls=" is what the callee took. callgrind_annotate knows no most of all dumps.
        words="$(cat "$scratch/out") $(awk '
            /^fn=/ { match($0, /\([0-9]+\)/); id = substr($0, RSTART, RLENGTH)
                     if (NF > 1) { name[id] = $2 }; here = name[id] == "hash_remove_fast"; next }
            /^cfn=/ && NF > 1 { match($0, /\([0-9]+\)/); name[substr($0, RSTART, RLENGTH)] = $2; next }
            /^calls=/ { skip = 1; next }
            skip { skip = 0; next }
            here && /^[-+*0-9]/ { list += $2 }
            /^totals:/ { sum += $2; if ($2 > most) { most = $2 } }
            END { printf "ir=%.0f longest_ir=%.0f list_ir=%.0f", sum, most, list }' "$scratch/callgrind")"
    else
        # OpenVPN's own fatal error is a result
        grep -q '^FATAL ERROR' "$scratch/out" "$scratch/err" ||
            die "$tree, $clients clients, $*: $(cat "$scratch/err" "$scratch/out" | grep . | tail -n 1)"
        words="died=1"
    fi
    echo "tree=$tree clients=$clients arguments=$(echo "$*" | tr ' ' ,) $words" >> "$dir/results"
    say "$(wc -l < "$dir/results") of $(wc -l < "$dir/cells"): $tree, $clients clients, $*"
}

# tables [FILE]: what came of it
tables()
{
    awk -v parts="$parts" -v tree_names="$(echo "$trees" | sed 's/=[^ ]*//g')" -v sizes="$clients" \
        -f "$top/tests/bench/table.awk" "${1-$dir/results}"
}
