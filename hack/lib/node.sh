# shellcheck shell=bash
# Nodes: containerd and a kubelet in their own namespaces (lib/node-init), the admin cluster's as well as workers.

REGISTRY_HOSTS=(registry.k8s.io docker.io ghcr.io quay.io gcr.io)

# node_cgroup NAME: two kubelets must not share a cgroup root, each kills the other's pods as orphans.
node_cgroup() { echo "$KAMAJI_NETNS.$1"; }

# cgroup_hierarchies: the folders in which a node's cgroup has to be made; one on cgroup v2.
cgroup_hierarchies() {
  if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
    echo /sys/fs/cgroup
  else
    awk '$3 == "cgroup" { print $2 }' /proc/mounts
  fi
}

make_cgroups() {
  local hierarchy file
  while read -r hierarchy; do
    mkdir -p "$hierarchy/$1"
    if [[ $hierarchy == /sys/fs/cgroup ]]; then
      for file in cpu cpuset memory pids io hugetlb; do
        echo "+$file" >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null || true
      done
    fi
    for file in cpuset.cpus cpuset.mems; do
      if [[ -e $hierarchy/$1/$file && -z $(cat "$hierarchy/$1/$file") && -r $hierarchy/$file ]]; then
        cat "$hierarchy/$file" >"$hierarchy/$1/$file"
      fi
    done
  done < <(cgroup_hierarchies)
}

remove_cgroups() {
  local hierarchy
  while read -r hierarchy; do
    [[ -d $hierarchy/$1 ]] || continue
    find "$hierarchy/$1" -depth -type d -exec rmdir {} \; 2>/dev/null || true
  done < <(cgroup_hierarchies)
}

write_containerd_config() {
  local dir=$1 host
  mkdir -p "$dir"
  cat >"$dir/config.toml" <<TOML
version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.cri.v1.images"]
  snapshotter = "overlayfs"
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "registry.k8s.io/pause:$PAUSE_VERSION"
  [plugins."io.containerd.cri.v1.images".registry]
    config_path = "/etc/containerd/certs.d"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
      SystemdCgroup = false
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["/usr/lib/cni"]
    conf_dir = "/etc/cni/net.d"
TOML
  for host in "${REGISTRY_HOSTS[@]}"; do
    mkdir -p "$dir/certs.d/$host"
    cat >"$dir/certs.d/$host/hosts.toml" <<TOML
server = "http://$REGISTRY/v2/$host"
[host."http://$REGISTRY/v2/$host"]
  capabilities = ["pull", "resolve"]
  override_path = true
TOML
  done
}

# kubelet_settings NAME: what a kubelet on a shared machine needs; the admin node's configuration and a worker's patch.
kubelet_settings() {
  cat <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: cgroupfs
cgroupRoot: /$(node_cgroup "$1")
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
enforceNodeAllocatable: []
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, nodefs.inodesFree: 1%, imagefs.available: 1%}
failCgroupV1: false
failSwapOn: false
imageGCHighThresholdPercent: 100
maxPods: 200
YAML
}

# cni_config POD_CIDR: written when the node has been given its range.
cni_config() {
  cat <<JSON
{
  "cniVersion": "1.0.0", "name": "kamaji",
  "plugins": [
    { "type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
      "ipam": { "type": "host-local", "ranges": [[{ "subnet": "$1" }]], "routes": [{ "dst": "0.0.0.0/0" }] } },
    { "type": "portmap", "capabilities": { "portMappings": true } }
  ]
}
JSON
}

# start_node NAME NETNS ADDRESS: returns when the node's containerd answers.
start_node() {
  local name=$1 netns=$2 dir=$NODES_DIR/$1
  if running_pid "node-$name" >/dev/null; then return 0; fi
  mkdir -p "$dir"
  rm -f "$dir/started"
  echo "$3" >"$dir/address"
  echo "nameserver $ADMIN_IP" >"$dir/resolv.conf"
  write_containerd_config "$dir/containerd"
  make_cgroups "$(node_cgroup "$name")"
  start_process "node-$name" "$netns" unshare --mount --uts --ipc --pid --fork --kill-child --mount-proc \
    "$HACK/lib/node-init" "$name" "$dir" "$(bin_dir)"
  wait_until 30 "node $name to set itself up" node_started "$name"
  wait_until 60 "containerd of node $name" in_node "$name" ctr version
}

node_started() { must_run "node-$1" && [[ -e $NODES_DIR/$1/started ]]; }

# in_node NAME CMD...: inside the node's namespaces, with its programs first on PATH.
in_node() {
  local pid name=$1
  shift
  pid=$(running_pid "node-$name") || { echo "node $name does not run" >&2; return 77; }
  pid=$(cut -d' ' -f1 "/proc/$pid/task/$pid/children")
  nsenter -t "$pid" --mount --uts --ipc --net --pid -- \
    env PATH="/run/kamaji/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" "$@"
}

# stop_node NAME: SIGKILL to unshare takes process 1 of the node with it, and the kernel everything else.
stop_node() {
  local pid init=""
  if pid=$(running_pid "node-$1"); then init=$(cut -d' ' -f1 "/proc/$pid/task/$pid/children" 2>/dev/null || true); fi
  stop_process "node-$1" KILL
  if [[ -n $init ]]; then
    for _ in {1..200}; do
      [[ -d /proc/$init ]] || break
      sleep 0.05
    done
  fi
  remove_cgroups "$(node_cgroup "$1")"
}

# remove_node_folder NAME: overlay work folders are mode 000.
remove_node_folder() { rm -rf --one-file-system "${NODES_DIR:?}/$1"; }

# start_admin_node: kubelet with the certificate that kubeadm's kubeconfig phase made.
start_admin_node() {
  local dir=$NODES_DIR/$ADMIN_NODE fresh=1
  if running_pid "node-$ADMIN_NODE" >/dev/null; then fresh=0; fi
  start_node "$ADMIN_NODE" "$KAMAJI_NETNS" "$ADMIN_IP"
  if ((fresh)); then
    {
      kubelet_settings "$ADMIN_NODE"
      cat <<YAML
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: /etc/kubernetes/pki/ca.crt}}
authorization: {mode: Webhook}
clusterDNS: [$DNS_IP]
clusterDomain: cluster.local
resolvConf: /etc/resolv.conf
YAML
    } >"$dir/var/lib/kubelet/config.yaml"
    in_node "$ADMIN_NODE" mkdir -p /etc/kubernetes/pki
    in_node "$ADMIN_NODE" tee /etc/kubernetes/pki/ca.crt <"$PKI_DIR/ca.crt" >/dev/null
    in_node "$ADMIN_NODE" tee /etc/kubernetes/kubelet.conf <"$KUBECONFIG_DIR/kubelet.conf" >/dev/null
    touch "$dir/kubelet-may-start"
  fi
  wait_until 90 "the pod range of node $ADMIN_NODE" connect_pods "$ADMIN_NODE" kubectl_admin
  wait_until 90 "node $ADMIN_NODE to be Ready" node_ready "$ADMIN_NODE" kubectl_admin
}

# pod_range NAME KUBECTL...: prints spec.podCIDR.
pod_range() {
  local name=$1
  shift
  "$@" get node "$name" -o 'jsonpath={.spec.podCIDR}'
}

# connect_pods NAME KUBECTL...: the job of a CNI daemon: the node's range becomes its CNI configuration.
connect_pods() {
  local range
  must_run "node-$1"
  range=$(pod_range "$@")
  [[ -n $range ]] || { echo "node $1 has no podCIDR yet"; return 1; }
  in_node "$1" test -s /etc/cni/net.d/10-kamaji.conflist || cni_config "$range" | in_node "$1" tee /etc/cni/net.d/10-kamaji.conflist
}

node_ready() {
  local name=$1 ready
  shift
  must_run "node-$name"
  ready=$("$@" get node "$name" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status} {.status.conditions[?(@.type=="Ready")].message}')
  echo "$ready"
  [[ $ready == True* ]]
}
