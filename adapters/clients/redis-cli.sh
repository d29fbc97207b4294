#!/usr/bin/env bash
# redis-cli, as people and scripts use it: one command at a time, sessions on standard input, --eval,
# --pipe, -3, -n, -x, --scan, subscriptions and blocking pops. What is expected was printed by the real
# server. Usage: redis-cli.sh HOST:PORT
set -uo pipefail
. "$(dirname "$0")/lib/check.sh" redis-cli
HOST=${1%:*} PORT=${1##*:}

cli() { timeout 20 redis-cli -h "$HOST" -p "$PORT" "$@" 2>&1; }
# For `background .. &`: without a shell in between, so that killing it ends the client itself.
background() { exec timeout 20 redis-cli -h "$HOST" -p "$PORT" "$@"; }
# soon COMMAND..: waits, but not for ever, until the command succeeds.
soon() { for _ in $(seq 100); do eval "$@" && return; sleep 0.05; done; }
# says WHAT ARGS..: these arguments make redis-cli print exactly that.
says() { local want=$1; shift; same "$want" "$(cli --no-raw "$@")" "$*"; }
# like PATTERN ARGS..: .. print something that matches.
like() { local pattern=$1; shift; matches "$pattern" "$(cli --no-raw "$@")" "$*"; }
# session WHAT: standard input makes it print exactly that.
session() { local want=$1 input; input=$(cat); same "$want" "$(cli --no-raw <<< "$input")" "$input"; }

says OK FLUSHALL
says PONG PING
says '"hello"' ECHO hello

# Strings and counters.
says OK SET k v
says '"v"' GET k
says '(nil)' GET nothing
says OK SET k w XX KEEPTTL
says '(nil)' SET k x NX
says '"w"' SET k x GET
says '(integer) 0' SETNX k y
says '(integer) 3' APPEND k yz
says '(integer) 3' STRLEN k
says '"yz"' GETRANGE k 1 -1
says '(integer) 5' SETRANGE k 3 ab
says '"xyzab"' GETSET k last
says '"last"' GETDEL k
says '(integer) 0' EXISTS k
says OK MSET a 1 b 2
says $'1) "1"\n2) "2"\n3) (nil)' MGET a b nothing
says '(integer) 2' INCR a
says '(integer) 12' INCRBY a 10
says '(integer) 11' DECR a
says '(integer) 1' DECRBY a 10
says '"1.5"' INCRBYFLOAT a 0.5
says '(error) ERR value is not an integer or out of range' INCR a
says '(error) ERR syntax error' SET k v NX XX
says "(error) ERR invalid expire time in 'set' command" SET k v PX 0

# Expiry.
says OK SET k v PX 50000
like '^\(integer\) (49[0-9]{3}|50000)$' PTTL k
like '^\(integer\) (49|50)$' TTL k
says '(integer) 1' EXPIRE k 100 GT
says '(integer) 0' EXPIRE k 10 GT
says '(integer) 1' PERSIST k
says '(integer) -1' TTL k
says '(integer) -2' TTL nothing
says OK SETEX k 10 v
says OK PSETEX k 40 v
sleep 0.2
says '(nil)' GET k
says OK SET k v EXAT 99999999999
says '(integer) 99999999999' EXPIRETIME k
says '"v"' GETEX k PERSIST
says '(integer) -1' PTTL k

# Keys.
says '(integer) 3' DBSIZE
says OK RENAME k renamed
says '(error) ERR no such key' RENAME k renamed
says string TYPE renamed
says none TYPE k
says '"embstr"' OBJECT ENCODING renamed
says '"int"' OBJECT ENCODING b
says '1) "renamed"' KEYS 'ren*'
says $'1) "0"\n2) 1) "b"' SCAN 0 MATCH b
says '(integer) 2' UNLINK renamed b nothing
says '(integer) 1' DEL a
says '(empty array)' KEYS '*'

# Lists, hashes, sets, sorted sets.
says '(integer) 3' RPUSH l a b c
says '(integer) 4' LPUSH l z
says $'1) "z"\n2) "a"\n3) "b"\n4) "c"' LRANGE l 0 -1
says '"z"' LPOP l
says $'1) "c"\n2) "b"' RPOP l 2
says '(integer) 1' LLEN l
says '(integer) 1' LREM l 0 a
says '(integer) 0' EXISTS l
says '(integer) 2' HSET h f 1 g 2
says '"1"' HGET h f
says $'1) "f"\n2) "1"\n3) "g"\n4) "2"' HGETALL h
says '(integer) 6' HINCRBY h f 5
says '(integer) 1' HDEL h f
says '(integer) 2' SADD s x y
says '(integer) 1' SISMEMBER s x
says '(integer) 2' SCARD s
says '(integer) 1' SREM s x
says '(integer) 2' ZADD z 1 one 2 two
says '"2"' ZSCORE z two
says $'1) "one"\n2) "1"\n3) "two"\n4) "2"' ZRANGE z 0 -1 WITHSCORES
says $'1) "one"\n2) "1"' ZPOPMIN z
says '(integer) 1' ZCARD z
says '(error) WRONGTYPE Operation against a key holding the wrong kind of value' INCR z
says '(integer) 3' DEL h s z

# Mistakes.
says "(error) ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b' " NOSUCH a b
says "(error) ERR wrong number of arguments for 'get' command" GET
says "(error) ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP." CLIENT NOSUCH
says '(error) ERR EXEC without MULTI' EXEC
says '(error) ERR DISCARD without MULTI' DISCARD
says '(error) ERR DB index is out of range' SELECT 16
says '(error) NOPROTO unsupported protocol version' HELLO 9

# Scripts.
echo 'if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) else return 0 end' \
  > "$TMP/release.lua"
says OK SET lock token
says '(integer) 0' --eval "$TMP/release.lua" lock , other
says '(integer) 1' --eval "$TMP/release.lua" lock , token
says $'1) "a"\n2) (integer) 2\n3) (nil)' EVAL 'return {ARGV[1], 2.7, false}' 0 a
says '"e0e1f9fabfc9d4800c877a703b823ac0578ff8db"' SCRIPT LOAD 'return 1'
says '(integer) 1' EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0
says '(error) NOSCRIPT No matching script. Please use EVAL.' EVALSHA ffffffffffffffffffffffffffffffffffffffff 0
says '1) (integer) 1' SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db
says "(error) ERR Number of keys can't be greater than number of args" EVAL 'return 1' 1
like '^\(error\) ERR Unknown Redis command called from script script: [0-9a-f]{40}, on @user_script:1.$' \
  EVAL 'return redis.call("nosuch")' 0
says '"[1,{\"a\":\"b\"}]"' EVAL 'return cjson.encode({1, {a = "b"}})' 0

# The server and the connection.
like '^\(integer\) [0-9]+$' CLIENT ID
like 'redis_version:7\.0\.15' INFO server
like 'loading:0' INFO persistence
like '^1\) "[0-9]{10}"' TIME
says $'1) "master"\n2) (integer) 0\n3) (empty array)' ROLE
says '(integer) 0' WAIT 0 10
says $'1) "databases"\n2) "16"' CONFIG GET databases
says OK CONFIG SET lua-time-limit 5000
like '^"?id=[0-9]+ addr=.*cmd=client\|list' CLIENT LIST
like '^\(integer\) [0-9]+$' COMMAND COUNT
session $'OK\n"me"\nOK\n(nil)' <<< $'CLIENT SETNAME me\nCLIENT GETNAME\nCLIENT NO-EVICT on\nGET nothing'
session $'OK\nRESET\n(nil)' <<< $'CLIENT SETNAME me\nRESET\nCLIENT GETNAME'

# Databases.
says OK -n 3 SET k three
says '"three"' -n 3 GET k
says '(nil)' GET k
session $'OK\n"three"\nOK\n(nil)' <<< $'SELECT 3\nGET k\nFLUSHDB\nGET k'

# Transactions.
session $'OK\nQUEUED\nQUEUED\n1) OK\n2) (integer) 2' <<< $'MULTI\nSET t 1\nINCR t\nEXEC'
session $'OK\nQUEUED\nOK\n"2"' <<< $'MULTI\nSET t 9\nDISCARD\nGET t'
session $'OK\n(error) ERR unknown command \'NOSUCH\', with args beginning with: \n(error) EXECABORT Transaction discarded because of previous errors.' \
  <<< $'MULTI\nNOSUCH\nEXEC'
session $'OK\nOK\nOK\nQUEUED\n(nil)\n"2"' <<< $'WATCH t\nSET t 2\nMULTI\nSET t 3\nEXEC\nGET t'
session $'OK\n(error) ERR MULTI calls can not be nested\n(error) ERR WATCH inside MULTI is not allowed\n(empty array)' \
  <<< $'MULTI\nMULTI\nWATCH t\nEXEC'

# The newer protocol.
says $'1# "f" => "1"' -3 EVAL 'redis.call("hset", "h", "f", "1") redis.setresp(3) return redis.call("hgetall", "h")' 0
says $'1# "f" => "1"' -3 HGETALL h
says '(nil)' -3 GET nothing
says '(double) 1' -3 ZADD z INCR 1 a
like '3# "proto" => \(integer\) 3' -3 HELLO

# From standard input: one argument, many commands, commands as protocol.
same OK "$(printf 'from stdin' | cli -x SET x)" '-x'
says '"from stdin"' GET x
for i in $(seq 1000); do printf '*3\r\n$3\r\nSET\r\n$%d\r\npipe:%d\r\n$1\r\nv\r\n' $((5 + ${#i})) "$i"; done > "$TMP/pipe"
matches 'errors: 0, replies: 1000$' "$(cli --pipe < "$TMP/pipe")" '--pipe'
same 1000 "$(cli --scan --pattern 'pipe:*' | sort -u | wc -l)" '--scan'
matches 'Biggest string found .*x.* has 10 bytes' "$(cli --bigkeys)" '--bigkeys'
same $'OK\n2' "$(printf 'SET q 1\nINCR q\nQUIT\n' | cli | head -2)" 'raw output, QUIT'

# Somebody waits, somebody else acts.
background BLPOP queue 0 > "$TMP/popped" & waiter=$!
soon 'cli CLIENT LIST | grep -q cmd=blpop'
says '(integer) 1' RPUSH queue job
wait $waiter
same $'queue\njob' "$(cat "$TMP/popped")" 'BLPOP that is woken'
same '' "$(cli BLPOP queue 0.2)" 'BLPOP that runs out of time'

background --no-raw SUBSCRIBE news > "$TMP/news" & subscriber=$!
soon '[ "$(cli PUBSUB NUMSUB news | tail -1)" = 1 ]'
says '(integer) 1' PUBLISH news flash
soon 'grep -q flash "$TMP/news"'
kill $subscriber; wait $subscriber 2> "$TMP/null"
matches $'1\\) "subscribe"\n2\\) "news"\n3\\) \\(integer\\) 1\n1\\) "message"\n2\\) "news"\n3\\) "flash"$' \
  "$(cat "$TMP/news")" SUBSCRIBE
soon '[ "$(cli PUBSUB NUMSUB news | tail -1)" = 0 ]'
says '(integer) 0' PUBLISH news nobody

done_checking
