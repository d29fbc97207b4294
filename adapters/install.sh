#!/usr/bin/env bash
# Installs the real servers, and what the suite breaks them with, from Debian's packages. What is there
# already is left alone. The packages may start services of their own: the suite uses none of them.
set -euo pipefail

packages=()
need() { # need PACKAGE TEST..: the package is needed unless the test succeeds
  local package=$1; shift
  "$@" > /dev/null 2>&1 || packages+=("$package")
}
need redis-server command -v redis-server
need redis-tools command -v redis-cli
need etcd-server command -v etcd
need etcd-client command -v etcdctl
need zookeeper test -f /usr/share/java/zookeeper.jar
need default-jre-headless command -v java
need faketime command -v faketime
# The tests build the etcd-client crate, whose messages are generated.
need protobuf-compiler command -v protoc

if [ ${#packages[@]} = 0 ]; then
  echo "the real servers are installed"
  exit 0
fi
echo "installing ${packages[*]}"
sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
$sudo apt-get update -qq
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${packages[@]}" > /dev/null
