#!/usr/bin/env bash
# A sweep's memory does not depend on its length: 100,000 runs stay below 500 MB, and take hardly more
# than 10,000. Linux tells a process its peak; `sweep` shows it at its end.
set -euo pipefail
cd "$(dirname "$0")/.."

most_mb=500
# Room for what an allocator keeps; a byte for each event of each run would already be more.
most_growth_mb=8

cargo build --quiet --profile sim --features turmoil,mimalloc --bin picklock

peak_mb() { # seeds
    local said=target/memory.txt
    mkdir -p target
    # Two contenders, one of which fails in every run.
    target/sim/picklock sweep scenarios/bench/short.toml --seeds "0..$1" > /dev/null 2> "$said" || {
        cat "$said" >&2
        exit 1
    }
    tail -n 1 "$said" >&2
    sed -n 's/.*, \([0-9]*\) MB at most$/\1/p' "$said"
}

short=$(peak_mb 5000)
long=$(peak_mb 50000)
[ -n "$short" ] && [ -n "$long" ] || { echo "this system does not tell a process its peak" >&2 && exit 1; }
echo "10,000 runs: $short MB, 100,000 runs: $long MB at most"
[ "$long" -le "$most_mb" ] || { echo "more than $most_mb MB" >&2 && exit 1; }
[ "$((long - short))" -le "$most_growth_mb" ] || { echo "memory grows with the number of runs" >&2 && exit 1; }
