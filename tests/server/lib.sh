# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034
#
# Plays scenarios on what tests/server/prepare has built. To be sourced after
# lib.sh, with $base and $scratch set; takes the EXIT trap.

: "${top:?}" "${base:?}" "${scratch:?}"

here=$top/tests/server
built=$top/build/server
stock=stock=$built/$base/stock
patched=patched=$built/$base/patched
follow_up=follow-up=$built/$base/follow-up
player=

# of_line FILE: that of this folder which is for the bases of this line
of_line()
{
    if [ -e "$here/${base_line-}$1" ]
    then
        echo "$here/${base_line-}$1"
    else
        echo "$here/$1"
    fi
}

# play SCENARIOS [OPTION...] TREE...: interleave, with the file SCENARIOS. In the
# background: a shell that waits for its foreground acts on a signal afterwards
play()
{
    scenarios=$1
    shift
    "$built/interleave" --keys "$built/keys" --lsan "$here/lsan.supp" \
        --openvpn "$top/build/$base/src/openvpn/openvpn" "$@" < "$scenarios" &
    player=$!
    status=0
    wait $player || status=$?
    player=
    return $status
}

# clean_up: end what plays, and remove $scratch
clean_up()
{
    if [ "$player" ]
    then
        kill "$player" 2>/dev/null || :
        wait "$player" || :
    fi
    rm -rf "$scratch"
}
trap clean_up EXIT

# requests: what the servers ask of the kernel in each situation, without the
# series, which fails in some of them and is no news, with it, or with the
# follow-ups, which ask for single peers, too
requests()
{
    play /dev/null --requests "$stock" 2>/dev/null > "$scratch/stock" || :
    play /dev/null --requests "$patched" > "$scratch/patched" || :
    play /dev/null --requests "$follow_up" > "$scratch/follow-up" || :
    awk -f "$here/union.awk" "$scratch/stock" "$scratch/patched" "$scratch/follow-up"
}
