#!/usr/bin/env bash
# ZooKeeper's own command line, zkCli.sh, as people use it. What is expected was printed by the real server
# (3.8.0). Usage: zkcli.sh HOST:PORT
set -uo pipefail
. "$(dirname "$0")/lib/check.sh" zkcli
SERVER=$1

# session: a session with the commands on standard input. What it printed is in $TMP/said, without what
# differs from run to run and what it says of itself; what it was told by watches in $TMP/events.
session() {
  # It takes a while until an event that has arrived is printed.
  { cat; sleep 0.4; echo quit; } | timeout 30 /usr/share/zookeeper/bin/zkCli.sh -server "$SERVER" > "$TMP/all" 2>&1
  sed -n 's/^WatchedEvent state:SyncConnected type:\([A-Z][A-Za-z]*\) path:\(.*\)/\1 \2/p' "$TMP/all" \
    | grep -v '^None' > "$TMP/events"
  grep -vE '^(SLF4J:|Connecting to|Welcome to|JLine support|WatchedEvent|WATCHER::$|$)' "$TMP/all" \
    | sed -E 's/^([cm]time) = .*/\1/; s/^([cmp]Zxid) = 0x[0-9a-f]+/\1/; s/^(ephemeralOwner) = 0x[0-9a-f]{5,}/\1 = a session/' \
    > "$TMP/said"
}
# says WANT WHAT: the session on standard input prints exactly that.
says() { session; same "$1" "$(cat "$TMP/said")" "$2"; }
# stat CVERSION VERSION AVERSION OWNER LENGTH CHILDREN: what a node's state looks like.
stat() {
  printf '%s\n' cZxid ctime mZxid mtime pZxid "cversion = $1" "dataVersion = $2" "aclVersion = $3" \
    "ephemeralOwner = $4" "dataLength = $5" "numChildren = $6"
}

# An empty server.
session <<< 'ls /'
tr -d '[] ' < "$TMP/said" | tr , '\n' | grep -v '^zookeeper$' | sed 's|^|deleteall /|' > "$TMP/clean"
says '[zookeeper]' 'an empty server' < <(cat "$TMP/clean"; echo 'ls /')

says 'Created /a
Created /a/n-0000000000
Created /a/e
Created /a/q-0000000002
Created /a/c
Node already exists: /a
Node does not exist: /no/b
Ephemerals cannot have children: /a/e/x
KeeperErrorCode = Unimplemented for /a/t' create <<'E2'
create /a one
create -s /a/n- x
create -e /a/e x
create -s -e /a/q- x
create -c /a/c
create /a again
create /no/b x
create /a/e/x y
create -t 100 /a/t x
E2

says '[c, n-0000000000]' 'ephemeral nodes go with their session' <<< 'ls /a'

says "$(printf '%s\n' '[c, n-0000000000]' '[c, n-0000000000]'; stat 6 0 0 0x0 3 2
  printf '%s\n' /a /a/c /a/n-0000000000 one one; stat 6 0 0 0x0 3 2
  printf '%s\n' 'Created /e'; stat 0 0 0 'a session' 0 0
  printf '%s\n' "'world,'anyone" ': cdrwa' 2 'Node does not exist: /none')" read <<'E2'
ls /a
ls -s /a
ls -R /a
get /a
get -s /a
create -e /e
stat /e
getAcl /a
getAllChildrenNumber /a
get /none
E2

says "$(printf '%s\n' two 'version No is not valid : /a' three; stat 6 3 0 0x0 4 2
  printf '%s\n' 'version No is not valid : /a/c' 'Node not empty: /a' '[n-0000000000]' 'Node does not exist: /a/c')" \
  'set and delete' <<'E2'
set /a two
get /a
set -v 0 /a three
set -v 1 /a three
get /a
set -s /a four
delete -v 9 /a/c
delete /a
delete -v 0 /a/c
ls /a
delete /a/c
E2

says "$(printf '%s\n' four '[n-0000000000]' 'Node does not exist: /later' 'Created /a/new' 'Created /later' 'Sync is OK')" \
  watch <<'E2'
get -w /a
ls -w /a
stat -w /later
set /a five
set /a six
create /a/new
create /later
sync /a
E2
same $'NodeDataChanged /a\nNodeChildrenChanged /a\nNodeCreated /later' "$(cat "$TMP/events")" 'what watchers hear'

says 'Created /later/x' 'watches that stay' <<'E2'
addWatch -m PERSISTENT_RECURSIVE /later
set /later 1
set /later 2
create /later/x
delete /later/x
delete /later
E2
same $'NodeDataChanged /later\nNodeDataChanged /later\nNodeCreated /later/x\nNodeDeleted /later/x\nNodeDeleted /later' \
  "$(cat "$TMP/events")" 'what watchers that stay hear'

says "$(printf '%s\n' 'Auth scheme: User' 'ip: 127.0.0.1' 'Created /mine' \
  "'digest,'me:016djjlksVQS5RgX3M7biBGyYwY=" ': cdrwa'; stat 0 0 0 0x0 1 0
  printf '%s\n' 'Insufficient permission : /mine' "'world,'anyone" ': r' x)" 'access lists' <<'E2'
whoami
addauth digest me:secret
create /mine x auth::cdrwa
getAcl -s /mine
setAcl /mine world:anyone:r
set /mine y
getAcl /mine
get /mine
E2

says 'Created /only
[/only]
[]' 'ephemeral nodes of a session' <<'E2'
create -e /only
getEphemerals
getEphemerals /a
E2

says '[zookeeper]' 'delete everything' <<'E2'
deleteall /a
delete /mine
ls /
E2

done_checking
