#!/usr/bin/env bash
# Real clients of Redis, etcd and ZooKeeper, unmodified, against the models on real ports.
#
#   adapters/clients/run.sh                        against servers that it starts and stops itself
#   adapters/clients/run.sh --against HOST:PORT    .. or against a running Redis, which must be empty and
#                                                  is emptied: so the scripts are checked against the
#                                                  real thing. May be given up to three times.
#   adapters/clients/run.sh --etcd HOST:PORT       .. or against a running etcd, the same
#   adapters/clients/run.sh --zookeeper HOST:PORT  .. or against a running ZooKeeper, which is emptied too
#   adapters/clients/run.sh CLIENT..               only these, by the names of their scripts
#
# One line for each client, a summary, exit code 1 if anything failed. Whatever is installed for it
# lives in target/clients. The quorum locks need three servers; those not given are models.
set -euo pipefail
cd "$(dirname "$0")"
TOP=$(cd ../.. && pwd)
WORK=$TOP/target/clients
mkdir -p "$WORK"
rm -f "$WORK"/*.err "$WORK"/*.out
CLIENTS=(redis-cli.sh redis-benchmark.sh redis_py.py redis_py_lock.py python_redis_lock.py ioredis.js redlock.js
         etcdctl.sh etcd3_lock.py kazoo_locks.py zkcli.sh)
SERVERS=() ETCD='' ZOOKEEPER='' STARTED=()

main() {
  local chosen=()
  while [ $# -gt 0 ]; do
    case $1 in
      --against) SERVERS+=("${2:?--against needs HOST:PORT}"); shift 2 ;;
      --zookeeper) ZOOKEEPER=${2:?--zookeeper needs HOST:PORT}; shift 2 ;;
      --etcd) ETCD=${2:?--etcd needs HOST:PORT}; shift 2 ;;
      *) [ -f "$1" ] || die "no client script $1: there are ${CLIENTS[*]}"; chosen+=("$1"); shift ;;
    esac
  done
  [ ${#chosen[@]} = 0 ] || CLIENTS=("${chosen[@]}")
  install
  local server
  for server in ${SERVERS[@]+"${SERVERS[@]}"}; do must_be_empty "$server"; done
  [ -z "$ETCD" ] || etcd_must_be_empty
  trap stop_servers EXIT
  start_models
  run_clients
}

die() { echo "adapters/clients/run.sh: $*" >&2; exit 2; }

# What a fresh machine lacks. Nothing is installed twice.
install() {
  command -v redis-cli > /dev/null && command -v redis-benchmark > /dev/null || apt_install redis-tools
  command -v etcdctl > /dev/null || apt_install etcd-client
  [ -x /usr/share/zookeeper/bin/zkCli.sh ] || apt_install zookeeper
  command -v node > /dev/null && command -v npm > /dev/null || apt_install nodejs npm
  python3 -c 'import venv, ensurepip' 2> /dev/null || apt_install python3-venv
  if ! cmp -s requirements.txt "$WORK/requirements.installed"; then
    python3 -m venv "$WORK/venv"
    "$WORK/venv/bin/pip" install --quiet -r requirements.txt
    cp requirements.txt "$WORK/requirements.installed"
  fi
  if ! cmp -s package-lock.json "$WORK/node/package-lock.installed"; then
    mkdir -p "$WORK/node"
    cp package.json package-lock.json .npmrc "$WORK/node"
    (cd "$WORK/node" && npm ci --no-progress --loglevel=error > /dev/null)
    cp package-lock.json "$WORK/node/package-lock.installed"
  fi
}

apt_install() {
  local sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" > /dev/null
}

must_be_empty() {
  local size; size=$(redis-cli -h "${1%:*}" -p "${1##*:}" DBSIZE 2>&1) || die "$1: $size"
  [ "$size" = 0 ] || die "$1 holds data ($size): it would be lost, as every test empties the server"
}

etcd_must_be_empty() {
  local key; key=$(ETCDCTL_API=3 etcdctl --endpoints "http://$ETCD" get '' --prefix --keys-only --limit 1 2>&1)
  [ -z "$key" ] || die "$ETCD holds data or does not answer ($key): every test empties the server"
}

# Starts the models that are missing: three of Redis, one of etcd, one of ZooKeeper.
start_models() {
  (cd "$TOP" && cargo build --quiet --profile sim --features turmoil,mimalloc --bin picklock)
  while [ ${#SERVERS[@]} -lt 3 ]; do
    start_model redis
    SERVERS+=("$ADDRESS")
  done
  if [ -z "$ETCD" ]; then start_model etcd; ETCD=$ADDRESS; fi
  if [ -z "$ZOOKEEPER" ]; then start_model zookeeper; ZOOKEEPER=$ADDRESS; fi
}

# start_model STORE: a server of it on any free port, which ADDRESS names.
start_model() {
  local log=$WORK/serve.$1.${#STARTED[@]}
  ADDRESS=
  : > "$log.out" # it is read below, perhaps before the server's own shell has opened it
  "$TOP/target/sim/picklock" serve "$1" --listen 127.0.0.1:0 > "$log.out" 2> "$log.err" &
  STARTED+=($!)
  for _ in $(seq 100); do
    ADDRESS=$(sed -n 's/^picklock serves .* on //p' "$log.out")
    [ -z "$ADDRESS" ] || return 0
    sleep 0.05
  done
  die "the model did not start: $(cat "$log.err")"
}

# Stops what was started here, and only that; each must have lived until now and end well.
stop_servers() {
  local status=$? pid
  for pid in ${STARTED[@]+"${STARTED[@]}"}; do
    kill -TERM "$pid" 2> /dev/null || { echo "a server died: see $WORK/serve.*.err"; status=1; }
    wait "$pid" || { echo "a server ended with exit code $?"; status=1; }
  done
  if grep -l panicked "$WORK"/serve.*.err 2> /dev/null; then echo "a server panicked"; status=1; fi
  exit $status
}

run_clients() {
  local list failed=0 begin=$SECONDS client server
  list=$(IFS=,; echo "${SERVERS[*]:0:3}")
  export PYTHONDONTWRITEBYTECODE=1 NODE_PATH=$WORK/node/node_modules
  for client in "${CLIENTS[@]}"; do
    case $client in
      etcd*.sh) ./"$client" "$ETCD" ;;
      etcd*.py) "$WORK/venv/bin/python" "$client" "$ETCD" 2> "$WORK/$client.err" ;;
      zk*) ./"$client" "$ZOOKEEPER" ;;
      kazoo*) "$WORK/venv/bin/python" "$client" "$ZOOKEEPER" 2> "$WORK/$client.err" ;;
      *.sh) ./"$client" "${SERVERS[0]}" "$WORK/figures.txt" ;;
      *.py) "$WORK/venv/bin/python" "$client" "$list" 2> "$WORK/$client.err" ;;
      *.js) node "$client" "$list" ;;
    esac || failed=$((failed + 1))
  done
  for server in "${SERVERS[@]}"; do
    redis-cli -h "${server%:*}" -p "${server##*:}" FLUSHALL > /dev/null || failed=$((failed + 1))
  done
  echo "$((${#CLIENTS[@]} - failed)) of ${#CLIENTS[@]} clients are content with ${SERVERS[*]} $ETCD $ZOOKEEPER ($((SECONDS - begin)) s)"
  [ "$failed" = 0 ]
}

main "$@"
