# shellcheck shell=bash
# Workers: real nodes that join a tenant with kubeadm.

# take_address NAME: the first free one of the machine network; two workers may be added at the same time.
take_address() {
  local number taken
  mkdir -p "$NODES_DIR/$1"
  exec 7>"$NODES_DIR/.addresses"
  flock 7
  taken=" $(cat "$NODES_DIR"/*/address 2>/dev/null | xargs) "
  for ((number = 10; number < 250; number++)); do
    if [[ $taken != *" $MACHINE_NET.$number "* ]]; then
      echo "$MACHINE_NET.$number" >"$NODES_DIR/$1/address"
      exec 7>&-
      return
    fi
  done
  die "all addresses for workers are taken; remove some: $HACK/worker rm NAME"
}

# worker_join NAME TENANT NAMESPACE JOIN_COMMAND: from nothing to a Ready node.
worker_join() {
  local name=$1 tenant=$2 namespace=$3 address netns dir=$NODES_DIR/$1
  local -a join
  read -r -a join <<<"$4"
  [[ ${join[0]:-} == kubeadm && ${join[1]:-} == join && -n ${join[2]:-} ]] || die "this is no kubeadm join command: ${4//--token */--token ...}"
  take_address "$name"
  address=$(<"$dir/address")
  mkdir -p "$dir/patches"
  printf '%s/%s\n' "$namespace" "$tenant" >"$dir/tenant"
  netns=$(worker_netns "$name")
  make_worker_network "$name" "$address"
  say "starting worker $name ($address)"
  start_node "$name" "$netns" "$address"
  kubelet_settings "$name" >"$dir/patches/kubeletconfiguration+strategic.yaml"
  say "joining ${join[2]}"
  in_node "$name" "${join[@]}" --node-name "$name" --cri-socket unix:///run/containerd/containerd.sock \
    --patches /run/kamaji/node/patches --ignore-preflight-errors=all >"$LOG_DIR/join-$name.log" 2>&1 || {
    sed -E 's/[a-z0-9]{6}\.[a-z0-9]{16}/(token)/g' "$LOG_DIR/join-$name.log" | tail -n 20 >&2
    die "kubeadm join failed; whole log: $LOG_DIR/join-$name.log, the kubelet's: $LOG_DIR/kubelet-$name.log"
  }
  say "waiting for the node to be Ready"
  wait_until 120 "the pod range of node $name" connect_pods "$name" worker_kubectl "$name"
  connect_workers "$name"
  wait_until 180 "node $name to be Ready" node_ready "$name" worker_kubectl "$name"
}

# worker_kubectl NAME ARGS: as the node itself, which may read its own Node object.
worker_kubectl() {
  local name=$1
  shift
  in_node "$name" kubectl --kubeconfig=/etc/kubernetes/kubelet.conf "$@"
}

# connect_workers NAME: routes between the pod ranges of the workers of one tenant, both ways.
connect_workers() {
  local name=$1 other range other_range
  range=$(pod_range "$name" worker_kubectl "$name")
  echo "$range" >"$NODES_DIR/$name/pod-range"
  for other in "$NODES_DIR"/*/; do
    other=$(basename "$other")
    [[ $other != "$name" && -s $NODES_DIR/$other/pod-range ]] || continue
    cmp -s "$NODES_DIR/$name/tenant" "$NODES_DIR/$other/tenant" || continue
    other_range=$(<"$NODES_DIR/$other/pod-range")
    ip -n "$(worker_netns "$name")" route replace "$other_range" via "$(<"$NODES_DIR/$other/address")"
    ip -n "$(worker_netns "$other")" route replace "$range" via "$(<"$NODES_DIR/$name/address")"
  done
}

# keep_worker_logs NAME: of a worker that did not become Ready.
keep_worker_logs() {
  local what
  for what in kubelet containerd; do
    if [[ -s $NODES_DIR/$1/var/log/$what.log ]]; then cp "$NODES_DIR/$1/var/log/$what.log" "$LOG_DIR/$what-$1.log"; fi
  done
}

# worker_remove NAME: the machine is gone, as if somebody had pulled its plug; the tenant keeps a Node object.
worker_remove() {
  local name=$1 number
  stop_node "$name"
  remove_netns "$(worker_netns "$name")"
  if [[ -s $NODES_DIR/$name/address ]] && netns_exists "$KAMAJI_NETNS"; then
    number=$(<"$NODES_DIR/$name/address")
    ip -n "$KAMAJI_NETNS" link delete "w${number##*.}" 2>/dev/null || true
  fi
  remove_node_folder "$name"
}
