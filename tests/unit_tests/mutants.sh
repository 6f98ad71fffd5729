# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034 # variables for who sources this file
#
# Reads 'mutants'. To be sourced after lib.sh.

: "${top:?}"

: "${MUTANTS:=$top/tests/unit_tests/mutants}"

# next_mutant: set $of, $file, $name, $script and $finder to what the next line on the
# standard input says; false at the end
next_mutant()
{
    while read -r of file name script
    do
        case $of in
        ''|'#'*) continue ;;
        esac
        finder=${script##*  \# }
        script=${script%  \# *}
        return 0
    done
    return 1
}

# mutate FROM TO: the file FROM with that defect, to TO; false if it is the same
mutate()
{
    sed "$script" "$1" > "$2" || return 1
    ! cmp -s "$1" "$2" || { echo "sed changes nothing"; return 1; }
}
