# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154 # $base_first and the like: from find_version
#
# What the commands of downstream/ share: which patches a version takes, and their
# names there. To be sourced, after dev-tools/lib.sh.

: "${top:?}"
. "$top/dev-tools/commits.sh"

# select_patches VERSION: set $patches to what it takes, in order, with the
# follow-ups if they are wanted
select_patches()
{
    version=$1
    find_version "$version"
    [ "$known" = yes ] || usage_error "there are no patches for '$version'; there are for $(versions)"
    patches="$(src_patches) $([ ! "$follow_up" ] || follow_up_patches)"
}

# numbered: the patches with their numbers, a line each; what goes ahead of the
# series is 0, so that the others have the same everywhere
numbered()
{
    number=1
    [ ! "$base_first" ] || number=0
    for patch in $patches
    do
        echo "$number $patch"
        number=$((number + 1))
    done
}

# names FORMAT [FIRST]: the patches, and what they are called: FORMAT is printf's, for
# the number, counted from FIRST on, and the rest of the name
names()
{
    numbered | while read -r number patch
    do
        rest=${patch##*/}
        # shellcheck disable=SC2059 # it is a format
        echo "$patch $(printf "$1" $((number + ${2-0})) "${rest#[0-9][0-9][0-9][0-9]-}")"
    done
}
