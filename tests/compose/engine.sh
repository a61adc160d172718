#!/bin/bash
# The Docker engine of these tests. One that answers already is somebody's: it is used and left as
# it is. Otherwise one is installed from Debian's packages and started, as root, with all that it
# has in a folder of its own.
#   engine.sh up     prints the variables to use, NAME=value, one a line
#   engine.sh down   stops it if it is ours, and puts the firewall back as it was
set -euo pipefail
home=${OTTLA_TEST_ENGINE:-/tmp/ottla-test-engine}
here=$(cd "$(dirname "$0")" && pwd)

is_complete() { docker info && docker compose version && docker buildx version; } >/dev/null 2>&1

install_packages() {
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}

# compose v2 and buildx came with the next Debian; both are programs that need nothing but a libc.
install_plugins() {
  [ ! -x "$home/config/cli-plugins/docker-compose" ] || return 0
  local apt=$home/apt mirror
  mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources | head -n 1)
  mkdir -p "$home/config/cli-plugins" "$apt/lists/partial" "$apt/cache/archives/partial"
  chmod -R a+rX "$home"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$apt/sources.list"
  local options=(-o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root)
  apt-get "${options[@]}" update -qq
  (cd "$apt" && apt-get "${options[@]}" download -qq docker-compose docker-buildx >/dev/null &&
    for package in *.deb; do dpkg -x "$package" unpacked; done)
  cp "$apt"/unpacked/usr/libexec/docker/cli-plugins/* "$home/config/cli-plugins/"
}

start_engine() {
  docker info >/dev/null 2>&1 && return 0
  iptables-save >"$home/firewall"
  cat /proc/sys/net/ipv4/ip_forward >"$home/ip_forward"
  setsid dockerd --data-root "$home/data" --exec-root "$home/exec" --pidfile "$home/pid" \
    --host "$DOCKER_HOST" >"$home/engine.log" 2>&1 </dev/null &
  for _ in $(seq 300); do
    docker info >/dev/null 2>&1 && return 0
    sleep 0.1
  done
  tail -n 20 "$home/engine.log" >&2
  echo "error: the Docker engine does not start; its log is $home/engine.log" >&2
  return 1
}

# Images of the same names as in deploy/Dockerfile and docker-compose.yml: ours reaches no registry.
# The certificates that this machine trusts come along, so that pip works as it does outside.
make_python() {
  [ -f "$home/python.tar" ] && return 0
  mmdebstrap --quiet --variant=minbase --include=python3,python3-pip,python3-venv,ca-certificates \
    --customize-hook='rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED' \
    --customize-hook='ln -s /usr/bin/python3 "$1"/usr/local/bin/python' \
    --customize-hook='cp /etc/ssl/certs/ca-certificates.crt "$1"/etc/ssl/certs/ca-certificates.crt' \
    --format=tar bookworm "$home/python.part"
  mv "$home/python.part" "$home/python.tar"
}

import_python() {
  docker image inspect python:3.11-slim >/dev/null 2>&1 ||
    docker import -c 'ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt' \
      -c 'ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' \
      -c 'CMD ["python3"]' "$home/python.tar" python:3.11-slim >/dev/null
}

build_prometheus() {
  local tag
  tag=$(sed -n 's/^ *image: *\(prom\/prometheus:.*\)/\1/p' "$here/../../docker-compose.yml")
  docker image inspect "$tag" >/dev/null 2>&1 ||
    docker build -q -t "$tag" -f "$here/prometheus.Dockerfile" "$here" >/dev/null
}

# The slow parts side by side: packages, plugins, the base image.
install_and_start() {
  apt-get update -qq
  command -v mmdebstrap >/dev/null || install_packages mmdebstrap
  make_python &
  local python=$!
  install_plugins &
  local plugins=$!
  command -v dockerd >/dev/null && command -v iptables >/dev/null && command -v ip >/dev/null ||
    install_packages docker.io iptables iproute2
  wait $plugins
  start_engine
  wait $python
  import_python
  build_prometheus
}

up() {
  if is_complete; then
    return 0
  fi
  if [ "$(id -u)" != 0 ]; then
    echo "error: no Docker engine with compose and buildx answers; start one, or run this as root" >&2
    return 1
  fi
  mkdir -p "$home/config"
  export DOCKER_HOST=unix://$home/socket DOCKER_CONFIG=$home/config
  install_and_start >&2
  echo "DOCKER_HOST=$DOCKER_HOST"
  echo "DOCKER_CONFIG=$DOCKER_CONFIG"
}

down() {
  [ -f "$home/pid" ] || return 0
  export DOCKER_HOST=unix://$home/socket DOCKER_CONFIG=$home/config
  docker ps -aq | xargs -r docker rm -f >/dev/null
  local pid
  pid=$(cat "$home/pid")
  kill "$pid"
  for _ in $(seq 300); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  # The engine leaves its rules, its bridges and forwarding behind.
  for table in filter nat; do
    if ! grep -q "^\*$table" "$home/firewall"; then
      iptables -t $table -F && iptables -t $table -X
      [ $table = nat ] || iptables -P FORWARD ACCEPT
    fi
  done
  iptables-restore <"$home/firewall"
  cat "$home/ip_forward" >/proc/sys/net/ipv4/ip_forward
  ip link del docker0 2>/dev/null || true
  umount "$home/exec/netns/default" 2>/dev/null || true
  rm -f "$home/pid"
}

case "${1:-}" in
  up) up ;;
  down) down ;;
  *) echo "usage: $0 up|down" >&2 && exit 2 ;;
esac
