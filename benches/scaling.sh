#!/usr/bin/env bash
# How much faster a sweep is on two threads than on one: the same sweep on each in turn, shrinking
# and all, with its bytes compared.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'END'
usage: benches/scaling.sh [--seeds N] [--rounds R] [--check]

--seeds N    plans of a sweep, each with 6 contenders (default 400)
--rounds R   rounds, of which the median counts (default 5)
--check      exit with 1 if two threads are not at least 1.9 times as fast as one. This needs two cores
             on which nothing else runs. If something does, look at the CPU time: what two threads
             take more than one is what threads cost; the rest was somebody else's
END
}

seeds=400 rounds=5 check=0
while [ $# -gt 0 ]; do
    case $1 in
        --seeds) seeds=${2:?} && shift ;;
        --rounds) rounds=${2:?} && shift ;;
        --check) check=1 ;;
        -h | --help) usage && exit ;;
        *) usage >&2 && exit 2 ;;
    esac
    shift
done
whole='^[1-9][0-9]*$'
[[ $seeds =~ $whole && $rounds =~ $whole ]] || { usage >&2 && exit 2; }

cargo build --quiet --profile sim --features turmoil,mimalloc --bin picklock

work=target/scaling
rm -rf "$work"
mkdir -p "$work"
picklock=$PWD/target/sim/picklock scenario=$PWD/scenarios/published/s1-gc-pause.toml

# threads, seconds on the clock, seconds of CPU: a line for each sweep. Exit code 1 says that failures
# were found.
sweep() { # threads
    local out=$work/$1
    mkdir -p "$out"
    TIMEFORMAT="$1 %R %U"
    { time (cd "$out" && "$picklock" sweep "$scenario" --seeds "0..$seeds" --threads "$1" > out.txt 2> err.txt) ||
        [ $? = 1 ]; } 2>> "$work/measured.txt"
}

for ((n = 1; n <= rounds; n++)); do
    echo "round $n of $rounds" >&2
    sweep 1
    sweep 2
    cmp "$work/1/out.txt" "$work/2/out.txt"
    diff -r "$work/1/target" "$work/2/target"
done

# The median; of two in the middle, the lower.
median() { # threads column
    awk -v threads="$1" -v column="$2" '$1 == threads { print $column }' "$work/measured.txt" |
        sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

awk -v one="$(median 1 2)" -v two="$(median 2 2)" -v cpu_one="$(median 1 3)" -v cpu_two="$(median 2 3)" \
    -v check="$check" 'BEGIN {
        print "| threads | seconds | seconds of CPU | cores in use |"
        print "|---|---:|---:|---:|"
        printf "| 1 | %.1f | %.1f | %.2f |\n| 2 | %.1f | %.1f | %.2f |\n", one, cpu_one, cpu_one / one, \
            two, cpu_two, cpu_two / two
        printf "%.2f times as fast, with %.2f times the CPU time\n", one / two, cpu_two / cpu_one
        if (check && one / two < 1.9) {
            printf "that is less than 1.9; two threads had %.2f cores\n", cpu_two / two > "/dev/stderr"
            exit 1
        }
    }'
