# shellcheck shell=bash
# The whole admin cluster, put together from its parts.

# start_cluster: idempotent; every part that runs already is left alone.
start_cluster() {
  say "starting the admin cluster's control plane"
  set_conntrack_max
  start_control_plane
  start_scheduler
  say "filling the local registry"
  start_registry
  push_images
  say "starting node $ADMIN_NODE"
  start_admin_node
  install_cluster_addons
  say "putting control plane images on the node"
  pull_control_plane_images "$ADMIN_NODE"
  make_volumes
  wait_until 120 "cluster DNS" kubectl_admin -n kube-system rollout status deployment/coredns --timeout=10s
}

# install_cluster_addons: kube-proxy and CoreDNS as kubeadm installs them.
install_cluster_addons() {
  local kubeadm
  kubeadm="$(bin_dir)/kubeadm"
  if kubectl_admin -n kube-system get deployment/coredns daemonset/kube-proxy >/dev/null 2>&1; then return 0; fi
  in_netns "$KAMAJI_NETNS" "$kubeadm" init phase addon all --config "$KAMAJI_STATE/kubeadm.yaml" \
    --kubeconfig "$ADMIN_KUBECONFIG" >>"$LOG_DIR/kubeadm.log" 2>&1 || die "kubeadm could not install kube-proxy and CoreDNS; see $LOG_DIR/kubeadm.log"
  kubectl_admin -n kube-system scale deployment/coredns --replicas=1 >/dev/null
}

# make_volumes: a default StorageClass with ready-made volumes that any user may write; a volume whose claim is gone is
# emptied and offered again.
make_volumes() {
  local count name phase phases root=$NODES_DIR/$ADMIN_NODE/var/lib/kamaji-volumes
  phases=$(kubectl_admin get persistentvolumes -o 'jsonpath={range .items[*]}{.metadata.name}={.status.phase}{"\n"}{end}')
  for count in {01..20}; do
    name=local-$count
    phase=$(sed -n "s/^$name=//p" <<<"$phases")
    if [[ $phase == Released || $phase == Failed ]]; then
      kubectl_admin delete persistentvolume "$name" --wait=true >/dev/null
      rm -rf "${root:?}/$name"
    elif [[ -n $phase ]]; then
      continue
    fi
    mkdir -p "$root/$name"
    chmod 777 "$root/$name"
    cat <<YAML
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: $name}
spec:
  capacity: {storage: 10Gi}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  storageClassName: local
  hostPath: {path: /var/lib/kamaji-volumes/$name, type: Directory}
YAML
  done | {
    cat
    cat <<'YAML'
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: local
  annotations: {storageclass.kubernetes.io/is-default-class: "true"}
provisioner: kubernetes.io/no-provisioner
volumeBindingMode: WaitForFirstConsumer
YAML
  } | kubectl_admin apply -f - >/dev/null
}
