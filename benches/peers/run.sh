#!/usr/bin/env bash
# The workload of record on picklock, madsim and turmoil, side by side: builds all three and prints one
# table from one run. See README.md.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() {
    cat <<'END'
usage: benches/peers/run.sh [--runs N] [--rounds R] [--check]

--runs N     runs of picklock in a round of the first variant; the others and the peers get as many
             as take about as long (default 400)
--rounds R   rounds, of which the fastest counts (default 10)
--check      exit with 1 if the engines do not do the same work (grants within 5 %), or if picklock
             is not at least 2 times as fast as madsim and 80 times as fast as turmoil
END
}

runs=400 rounds=10 check=0
while [ $# -gt 0 ]; do
    case $1 in
        --runs) runs=${2:?} && shift ;;
        --rounds) rounds=${2:?} && shift ;;
        --check) check=1 ;;
        -h | --help) usage && exit ;;
        *) usage >&2 && exit 2 ;;
    esac
    shift
done
whole='^[1-9][0-9]*$'
[[ $runs =~ $whole && $rounds =~ $whole ]] || { usage >&2 && exit 2; }

say() { printf '%s\n' "$*" >&2; }

# A peer is built in its own folder, where its own compiler flags are; a variable would replace them.
# picklock is built as `cargo picklock` builds it.
unset RUSTFLAGS CARGO_BUILD_RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_TARGET_DIR CARGO_BUILD_TARGET_DIR
say "building"
cargo build --quiet --profile sim --features turmoil,mimalloc --bin picklock
for peer in madsim turmoil; do
    (cd "benches/peers/$peer" && cargo build --quiet --release --locked)
done

work=target/peers/run
rm -rf "$work"
mkdir -p "$work"

# variant engine runs grants messages seconds, a line for each round
measured=$work/measured.txt

# One number of a report in JSON, whatever stands around it.
number() { sed -n "s/.*\"$1\": *\([0-9.]*\).*/\1/p" "$2"; }

# The whole command is timed, with its start, its judging and its writing of the account.
picklock_round() { # variant scenario seeds
    local begin end report=$work/picklock.json
    begin=$(date +%s%N)
    target/sim/picklock sweep "scenarios/bench/$2.toml" --seeds "0..$3" --threads 1 --json > "$report"
    end=$(date +%s%N)
    awk -v ns=$((end - begin)) -v line="$1 picklock $3 $(number grants "$report") $(number messages "$report")" \
        'BEGIN { printf "%s %.6f\n", line, ns / 1e9 }' >> "$measured"
}

# A peer takes the time of its loop only.
peer_round() { # variant peer seeds argument..
    local variant=$1 peer=$2 seeds=$3 report=$work/$2.json
    shift 3
    "target/peers/$peer/release/peer-$peer" "$@" --seeds "0..$seeds" > "$report"
    printf '%s %s %s %s %s %s\n' "$variant" "$peer" "$seeds" "$(number grants "$report")" \
        "$(number messages "$report")" "$(number elapsed_s "$report")" >> "$measured"
}

at_least() { echo $(($1 > $2 ? $1 : $2)); }

round() { # variant scenario runs turmoil's-runs argument..
    local variant=$1 scenario=$2 many=$3 few=$4
    shift 4
    picklock_round "$variant" "$scenario" "$many"
    peer_round "$variant" madsim "$many" "$@"
    peer_round "$variant" turmoil "$few" "$@"
}

# Variants differ in how much happens in a run, and turmoil is slow: fewer runs where one takes long,
# but enough for its grants to be told within a few percent.
for ((n = 1; n <= rounds; n++)); do
    say "round $n of $rounds"
    round 4-clients record "$runs" "$(at_least $((runs / 100)) 4)" --clients 4
    round 16-clients record-16 "$(at_least $((runs / 3)) 2)" "$(at_least $((runs / 200)) 3)" --clients 16
    round idle record-idle $((runs * 5)) "$(at_least $((runs / 100)) 4)" --clients 4 --think-ms 2000
done

awk -v check="$check" -v run_s=30 '
    function complain(text) { print text > "/dev/stderr"; failed = 1 }
    {
        key = $1 SUBSEP $2
        if (!($1 in known)) { known[$1]; variants[++variant_count] = $1 }
        if ((key in grants) && (grants[key] != $4 || messages[key] != $5))
            complain($1 ": " $2 " did not do the same in every round")
        runs[key] = $3; grants[key] = $4; messages[key] = $5
        # The fastest round counts: whatever else a machine does can only take time away.
        if (!(key in seconds) || $6 < seconds[key]) seconds[key] = $6
    }
    END {
        print "| variant | engine | runs/s | simulated s per s | ns per message | grants per run | messages per run | picklock / this |"
        print "|---|---|---:|---:|---:|---:|---:|---:|"
        split("picklock madsim turmoil", engines, " ")
        least["madsim"] = 2; least["turmoil"] = 80
        for (v = 1; v <= variant_count; v++) {
            variant = variants[v]
            for (e = 1; e <= 3; e++) {
                engine = engines[e]; key = variant SUBSEP engine
                rate = runs[key] / seconds[key]
                granted = grants[key] / runs[key]; sent = messages[key] / runs[key]
                if (e == 1) { own = rate; own_granted = granted }
                printf "| %s | %s | %.1f | %.0f | %.0f | %.1f | %.0f | %.2f |\n", variant, engine, rate, \
                    rate * run_s, 1e9 / rate / sent, granted, sent, own / rate
                if (!check || e == 1) continue
                apart = granted / own_granted - 1
                if (apart > 0.05 || apart < -0.05)
                    complain(sprintf("%s: %s grants %.1f %% more than picklock", variant, engine, apart * 100))
                if (own / rate < least[engine])
                    complain(sprintf("%s: picklock is %.2f times as fast as %s, not %d", variant, own / rate, engine, least[engine]))
            }
        }
        exit failed
    }
' "$measured"
