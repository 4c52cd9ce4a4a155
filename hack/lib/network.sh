# shellcheck shell=bash
# Network namespaces: one for the admin cluster's machine with a bridge in it, one for each worker, joined by
# veth pairs. None has an uplink, and nothing is created in the machine's own namespace, so nothing can leave.

# in_netns NETNS CMD...: nsenter, not `ip netns exec`, which remounts /sys and so loses /sys/fs/cgroup.
in_netns() {
  local netns=$1
  shift
  [[ -e /run/netns/$netns ]] || die "network namespace $netns does not exist: the test cluster is not up; run $HACK/up"
  nsenter --net="/run/netns/$netns" -- "$@"
}

netns_exists() { [[ -e /run/netns/$1 ]]; }

# make_netns NETNS: with loopback and forwarding on.
make_netns() {
  netns_exists "$1" || ip netns add "$1"
  ip -n "$1" link set lo up
  in_netns "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
}

# make_admin_network: the bridge is the node's interface; the extra veth pair gives it a carrier while it has no worker.
make_admin_network() {
  make_netns "$KAMAJI_NETNS"
  if ! ip -n "$KAMAJI_NETNS" link show "$BRIDGE" >/dev/null 2>&1; then
    ip -n "$KAMAJI_NETNS" link add "$BRIDGE" type bridge
    ip -n "$KAMAJI_NETNS" link add carrier0 type veth peer name carrier1
    ip -n "$KAMAJI_NETNS" link set carrier1 master "$BRIDGE"
    ip -n "$KAMAJI_NETNS" link set carrier0 up
    ip -n "$KAMAJI_NETNS" link set carrier1 up
  fi
  ip -n "$KAMAJI_NETNS" addr replace "$ADMIN_IP/24" dev "$BRIDGE"
  ip -n "$KAMAJI_NETNS" link set "$BRIDGE" up
  ip -n "$KAMAJI_NETNS" route replace default dev "$BRIDGE"
}

worker_netns() { echo "$KAMAJI_NETNS.$1"; }

# make_worker_network NAME ADDRESS: its own namespace with eth0 on the admin machine's bridge.
make_worker_network() {
  local netns port
  netns=$(worker_netns "$1")
  port=w${2##*.}
  make_netns "$netns"
  if ! ip -n "$netns" link show eth0 >/dev/null 2>&1; then
    ip -n "$KAMAJI_NETNS" link add "$port" type veth peer name eth0 netns "$netns"
    ip -n "$KAMAJI_NETNS" link set "$port" master "$BRIDGE"
    ip -n "$KAMAJI_NETNS" link set "$port" up
  fi
  ip -n "$netns" addr replace "$2/24" dev eth0
  ip -n "$netns" link set eth0 up
  ip -n "$netns" route replace default via "$ADMIN_IP"
}

remove_netns() { if netns_exists "$1"; then ip netns delete "$1"; fi; }

# must_be_outside: what makes or removes a cluster works from the machine's own network namespace only.
must_be_outside() {
  local netns own
  own=$(stat -Lc %i /proc/self/ns/net)
  for netns in /run/netns/*; do
    if [[ -e $netns && $(stat -Lc %i "$netns") == "$own" ]]; then
      die "this runs inside the network namespace $(basename "$netns") (through hack/in-cluster?); run it outside"
    fi
  done
}

# set_conntrack_max: kube-proxy of a tenant insists on 32768 per core and at least 131072, and only the machine's own
# namespace may set it, for all. The old value is kept for hack/down.
set_conntrack_max() {
  local want=$((32768 * $(nproc))) now
  if ((want < 131072)); then want=131072; fi
  now=$(sysctl -n net.netfilter.nf_conntrack_max 2>/dev/null) || return 0
  if ((now == want)); then return 0; fi
  [[ -e $KAMAJI_STATE/conntrack-max.before ]] || echo "$now" >"$KAMAJI_STATE/conntrack-max.before"
  sysctl -qw net.netfilter.nf_conntrack_max="$want" ||
    say "could not set net.netfilter.nf_conntrack_max to $want; kube-proxy of tenants may stop at it"
}

restore_conntrack_max() {
  [[ -s $KAMAJI_STATE/conntrack-max.before ]] || return 0
  sysctl -qw net.netfilter.nf_conntrack_max="$(cat "$KAMAJI_STATE/conntrack-max.before")" || true
}
