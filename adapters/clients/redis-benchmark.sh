#!/usr/bin/env bash
# redis-benchmark: every test of its default run, pipelined, plain and over RESP3, and a script of its
# own. It reports an error reply as a failed test; how fast it went is written to the file named
# second. Usage: redis-benchmark.sh HOST:PORT [FIGURES]
set -uo pipefail
. "$(dirname "$0")/lib/check.sh" redis-benchmark
HOST=${1%:*} PORT=${1##*:} FIGURES=${2:-$TMP/figures}

# bench NAME ARGS..: the run ends well, says no error, and prints so many requests a second.
bench() {
  local name=$1 out; shift
  out=$(timeout 120 redis-benchmark -h "$HOST" -p "$PORT" -n 2000 --csv "$@" 2>&1)
  local status=$?
  [ $status = 0 ] && [[ $out != *rror* ]] || status=1
  verdict $status "$name" 'figures and no error' "$out"
  sed -E '/^"test"/d; s/^(".*","[0-9.]+")(,"[0-9.]+"){6}$/\1/; s|^|'"$name"': |' <<< "$out" >> "$FIGURES"
}
# holds EXPECTED ARGS..: what redis-cli says afterwards: the work was truly done.
holds() { local want=$1; shift; same "$want" "$(timeout 10 redis-cli -h "$HOST" -p "$PORT" "$@" 2>&1)" "$*"; }

: > "$FIGURES"
holds OK FLUSHALL
for test in ping_inline ping_mbulk set get incr lpush rpush lpop rpop sadd hset spop zadd zpopmin \
  lrange_100 lrange_300 lrange_500 lrange_600 mset; do
  bench "$test -P 16" -t $test -P 16
done
holds 2000 GET counter:__rand_int__
holds OK FLUSHALL
bench 'the default run' -P 16 -n 1000
holds OK FLUSHALL
bench 'incr -r 1, one at a time' -t incr -r 1
holds 2000 GET counter:000000000000
bench 'set, get and incr over RESP3' -3 -t set,get,incr -r 100
bench 'mset, 1 KiB values' -t set,mset -d 1024 -r 1000 -P 4
bench 'a script' -P 8 eval 'return redis.call("incrby", KEYS[1], 2)' 1 even
holds 4000 GET even
# As many requests as a test list of theirs without -t: one connection closed after each request.
bench 'no keep-alive' -t ping_mbulk -k 0
holds OK FLUSHALL

done_checking
