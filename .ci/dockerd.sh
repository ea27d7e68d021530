#!/usr/bin/env bash
# A second Docker engine with nothing on it, beside the one of this machine.
#   dockerd.sh start DIR   starts it, all of it below DIR, and prints its DOCKER_HOST
#   dockerd.sh restart DIR SIGNAL   ends it by a signal, and starts it with what it has
#   dockerd.sh stop DIR    ends it and removes what it wrote
# Everything but the paths of the process itself is in a file of its own: flags that the machine's
# own daemon.json sets as well are refused.
set -euo pipefail

start() {
    local dir=$1 driver
    command -v dockerd >/dev/null || { echo "there is no dockerd here" >&2; return 1; }
    [ "$(id -u)" = 0 ] || { echo "only root starts a dockerd" >&2; return 1; }
    driver=$(docker info --format '{{.Driver}}')
    mkdir -p "$dir"
    cat >"$dir/daemon.json" <<JSON
{
  "data-root": "$dir/data",
  "storage-driver": "$driver",
  "bridge": "none",
  "iptables": false,
  "ip-forward": false,
  "ip-masq": false
}
JSON
    # In a network of its own: an engine without a bridge removes docker0, which is the other's.
    # Descriptors closed, so that nobody waits for a daemon to let go of a pipe.
    setsid unshare --net dockerd --config-file "$dir/daemon.json" --exec-root "$dir/exec" \
        --pidfile "$dir/dockerd.pid" --host "unix://$dir/docker.sock" \
        >"$dir/dockerd.log" 2>&1 </dev/null 9>&- &
    for _ in $(seq 60); do
        if DOCKER_HOST="unix://$dir/docker.sock" docker info >/dev/null 2>&1; then
            echo "unix://$dir/docker.sock"
            return 0
        fi
        sleep 0.5
    done
    echo "the second dockerd does not answer; it said:" >&2
    tail -n 20 "$dir/dockerd.log" >&2
    stop "$dir"
    return 1
}

end() {
    local pid
    pid=$(cat "$1/dockerd.pid" 2>/dev/null || true)
    [ -n "$pid" ] || return 0
    kill -s "$2" "$pid" 2>/dev/null || true
    for _ in $(seq 120); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.25
    done
}

stop() {
    local dir=$1
    if [ -e "$dir/dockerd.pid" ]; then
        DOCKER_HOST="unix://$dir/docker.sock" docker ps -aq |
            DOCKER_HOST="unix://$dir/docker.sock" xargs -r docker rm -f >/dev/null 2>&1 || true
        end "$dir" TERM
    fi
    # mounts of the storage driver and of network namespaces outlive it
    awk -v dir="$dir/" 'index($2, dir) == 1 {print $2}' /proc/mounts | sort -r |
        xargs -r -n1 umount -l 2>/dev/null || true
    rm -rf "$dir"
}

case "${1:-} ${2:-}" in
    "start "?*) start "$2" ;;
    "restart "?*) end "$2" "${3:-TERM}"; start "$2" ;;
    "stop "?*) stop "$2" ;;
    *) echo "usage: $0 start|restart|stop DIR" >&2; exit 2 ;;
esac
