#!/usr/bin/env bash
# etcdctl, as people and scripts use it: keys, transactions, leases, watches, locks, elections. What is
# expected was printed by the real server (3.4.23). Usage: etcdctl.sh HOST:PORT
set -uo pipefail
. "$(dirname "$0")/lib/check.sh" etcdctl
export ETCDCTL_API=3 ETCDCTL_ENDPOINTS=$1

ctl() { timeout 20 etcdctl "$@" 2>&1; }
# For `background .. &`: without a shell in between, so that killing it ends the client itself.
background() { exec timeout 20 etcdctl "$@" 2>&1; }
# soon COMMAND..: waits, but not for ever, until the command succeeds.
soon() { for _ in $(seq 100); do eval "$@" && return; sleep 0.05; done; return 1; }
# says WHAT ARGS..: these arguments make etcdctl print exactly that.
says() { local want=$1; shift; same "$want" "$(ctl "$@")" "$*"; }
# like PATTERN ARGS..: .. print something that matches.
like() { local pattern=$1; shift; matches "$pattern" "$(ctl "$@")" "$*"; }
# txn WHAT: a transaction on standard input (compares, what to do then, what else) prints exactly that.
txn() { local want=$1 input; input=$(cat); same "$want" "$(printf '%s\n\n\n' "$input" | ctl txn)" "txn $input"; }
revision() { ctl get nothing -w json | sed 's/.*"revision":\([0-9]*\).*/\1/'; }

ctl del '' --prefix > "$TMP/null"

# Keys.
says OK put k v
says $'k\nv' get k
says v get k --print-value-only
says $'OK\nk\nv' put k w --prev-kv
says '' get nothing
for key in a/1 a/2 a/3 b; do says OK put $key "$key value"; done
says $'a/1\n\na/2' get a/ --prefix --keys-only --limit 2
says $'a/3\n\na/2\n\na/1' get a/ --prefix --keys-only --order DESCEND
says $'a/3\n\nb\n\nk' get a/3 --from-key --keys-only
says $'a/1\n\na/2' get a/1 a/3 --keys-only
before=$(revision)
says OK put k later
says w get k --rev "$before" --print-value-only
like 'required revision is a future revision' get k --rev 99999
says 1 del b
says $'3\na/1\na/1 value\na/2\na/2 value\na/3\na/3 value' del a/ --prefix --prev-kv
says 0 del nothing
like 'compacted revision' compact "$((before + 1))"
like 'required revision has been compacted' get k --rev "$before"
like 'key not found' put nothing --ignore-value

# Transactions.
txn $'SUCCESS\n\nOK' <<< $'create("t") = "0"\n\nput t first\n\nget t\n'
txn $'FAILURE\n\nt\nfirst' <<< $'create("t") = "0"\n\nput t second\n\nget t\n'
txn $'SUCCESS\n\nt\nfirst' <<< $'value("t") = "first"\nver("t") < "2"\nmod("t") > "1"\n\nget t'
like 'duplicate key given in txn request' txn <<< $'\nput t 1\nput t 2\n\n'

# Leases.
granted=$(ctl lease grant 1)
matches '^lease [0-9a-f]+ granted with TTL\(2s\)$' "$granted" 'lease grant 1'
short=${granted#lease } short=${short%% *}
says OK put short-lived v --lease "$short"
granted=$(ctl lease grant 60)
long=${granted#lease } long=${long%% *}
says OK put l v --lease "$long"
like "^lease $long granted with TTL\(60s\), remaining\((59|60)s\), attached keys\(\[l\]\)$" \
  lease timetolive "$long" --keys
matches "$long" "$(ctl lease list)" 'lease list'
says "lease $long keepalived with TTL(60)" lease keep-alive --once "$long"
says "lease $long revoked" lease revoke "$long"
says '' get l
like 'requested lease not found' lease revoke "$long"
says "lease $long already expired" lease timetolive "$long"
like 'requested lease not found' put l v --lease "$long"
soon '[ -z "$(ctl get short-lived)" ]'
same 0 $? 'a key goes with its lease'
granted=$(ctl lease grant 2)
kept=${granted#lease } kept=${kept%% *}
background lease keep-alive "$kept" > "$TMP/kept" & keeper=$!
sleep 3
like "^lease $kept granted with TTL\(2s\), remaining\([01]s\)$" lease timetolive "$kept"
kill $keeper; wait $keeper 2> "$TMP/null"
matches "^lease $kept keepalived with TTL\(2\)" "$(cat "$TMP/kept")" 'lease keep-alive'
soon '[ "$(ctl lease timetolive "$kept")" = "lease $kept already expired" ]'
same 0 $? 'a lease ends that nobody keeps alive'

# Watches.
background watch w --prefix --prev-kv > "$TMP/watched" & watcher=$!
sleep 0.3
says OK put w1 a
says OK put w1 b
says 1 del w1
soon 'grep -q DELETE "$TMP/watched"'
kill $watcher; wait $watcher 2> "$TMP/null"
same $'PUT\nw1\na\nPUT\nw1\na\nw1\nb\nDELETE\nw1\nb\nw1' "$(sed '/^$/d' "$TMP/watched")" 'watch'
touch "$TMP/old"
background watch w --prefix --rev "$(($(revision) - 2))" > "$TMP/old" & watcher=$!
soon 'grep -q DELETE "$TMP/old"'
kill $watcher; wait $watcher 2> "$TMP/null"
same $'PUT\nw1\na\nPUT\nw1\nb\nDELETE\nw1' "$(sed '/^$/d' "$TMP/old")" 'watch from a revision'
like 'required revision has been compacted' watch k --rev "$before"
touch "$TMP/several"
{ printf 'watch i1\nwatch i2\n'; sleep 3; } | background watch -i > "$TMP/several" & watcher=$!
sleep 0.5
says OK put i2 b
says OK put i1 a
soon 'grep -q i1 "$TMP/several"'
kill $watcher; wait $watcher 2> "$TMP/null"
same $'PUT\ni2\nb\nPUT\ni1\na' "$(sed '/^$/d' "$TMP/several")" 'several watches on one stream'

# Locks: one holder at a time, first come, first served.
like '^held mutex/[0-9a-f]+$' lock mutex -- sh -c 'echo held $ETCD_LOCK_KEY'
background lock mutex -- sh -c "touch $TMP/one; sleep 0.7; echo one >> $TMP/order" > "$TMP/null" & first=$!
soon '[ -e "$TMP/one" ]'
background lock mutex -- sh -c "echo two >> $TMP/order" > "$TMP/null" & second=$!
wait $first $second
same $'one\ntwo' "$(cat "$TMP/order")" 'lock'
says '' get mutex --prefix
touch "$TMP/orphan"
etcdctl lock --ttl 2 orphan > "$TMP/orphan" 2>&1 & holder=$! # no `timeout`: it would not pass on a KILL
soon 'grep -q orphan "$TMP/orphan"'
kill -9 $holder; wait $holder 2> "$TMP/null"
began=$(date +%s%N)
like '^orphan/' lock orphan -- sh -c 'echo $ETCD_LOCK_KEY'
# The lease ends 2 s after it was last kept alive, and is looked for each 0.5 s.
waited_ms=$((($(date +%s%N) - began) / 1000000))
same yes "$([ $waited_ms -ge 500 ] && [ $waited_ms -le 4000 ] && echo yes)" "after $waited_ms ms a dead holder is gone"

# Elections.
background elect vote alice > "$TMP/alice" & alice=$!
soon 'grep -q alice "$TMP/alice"'
background elect vote bob > "$TMP/bob" & bob=$!
soon '[ "$(ctl get vote/ --prefix --keys-only | grep -c vote)" = 2 ]'
same '' "$(cat "$TMP/bob")" 'the second candidate waits'
background elect -l vote > "$TMP/seen" & observer=$!
soon 'grep -q alice "$TMP/seen"'
kill -INT $alice; wait $alice
soon 'grep -q bob "$TMP/bob"'
matches $'^vote/[0-9a-f]+\nbob' "$(cat "$TMP/bob")" 'elect'
soon 'grep -q bob "$TMP/seen"'
matches $'alice\n.*\nbob' "$(cat "$TMP/seen")" 'elect -l'
kill -INT $bob $observer; wait $bob $observer 2> "$TMP/null"

# The server.
like '^8e9e05c52164694d, started, default, ' member list
like 'is healthy' endpoint health
like ', (3\.[45]\.[0-9]+), .*, true, false, 2, ' endpoint status
like ', [0-9]+$' endpoint hashkv
# With its scheme the address stands where HTTP/2 has none.
export ETCDCTL_ENDPOINTS=http://$1
like '^http://.*, true, false, 2, ' endpoint status
like '^http://.*, [0-9]+$' endpoint hashkv
says OK put k with-scheme
says '' alarm list
like 'authentication is not enabled' --user root:pw get k

done_checking
