# shellcheck shell=bash
# The admin cluster's control plane: etcd, kube-apiserver, kube-controller-manager and kube-scheduler as plain
# processes in the network namespace, certificates and kubeconfigs by kubeadm's own phases.

# write_kubeadm_config: P-256 keys, because RSA ones take seconds.
write_kubeadm_config() {
  cat >"$KAMAJI_STATE/kubeadm.yaml" <<YAML
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: $ADMIN_IP, bindPort: 6443}
nodeRegistration: {name: $ADMIN_NODE, criSocket: "unix:///run/containerd/containerd.sock"}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
clusterName: kamaji-admin
kubernetesVersion: $KUBERNETES_VERSION
controlPlaneEndpoint: $ADMIN_IP:6443
certificatesDir: $PKI_DIR
encryptionAlgorithm: ECDSA-P256
networking: {podSubnet: $POD_CIDR, serviceSubnet: $SERVICE_CIDR, dnsDomain: cluster.local}
dns: {imageTag: $COREDNS_IMAGE_TAG}
apiServer: {certSANs: [127.0.0.1, localhost, $ADMIN_IP]}
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clusterCIDR: $POD_CIDR
conntrack: {maxPerCore: 0, min: 0}
YAML
}

# make_credentials: once; later runs keep what is there.
make_credentials() {
  local kubeadm
  kubeadm="$(bin_dir)/kubeadm"
  write_kubeadm_config
  if [[ -s $ADMIN_KUBECONFIG ]]; then return 0; fi
  mkdir -p "$PKI_DIR" "$KUBECONFIG_DIR"
  chmod 700 "$PKI_DIR" "$KUBECONFIG_DIR"
  in_netns "$KAMAJI_NETNS" "$kubeadm" init phase certs all --config "$KAMAJI_STATE/kubeadm.yaml" >"$LOG_DIR/kubeadm.log" 2>&1 &&
    in_netns "$KAMAJI_NETNS" "$kubeadm" init phase kubeconfig all --config "$KAMAJI_STATE/kubeadm.yaml" \
      --kubeconfig-dir "$KUBECONFIG_DIR" >>"$LOG_DIR/kubeadm.log" 2>&1 ||
    {
      tail -n 15 "$LOG_DIR/kubeadm.log" >&2
      die "kubeadm could not make the certificates; whole log: $LOG_DIR/kubeadm.log"
    }
}

start_etcd() {
  # Test clusters live for minutes. A benchmark compares with what is on the disk when it is acknowledged.
  local durability=(--unsafe-no-fsync)
  [[ -z ${KAMAJI_ETCD_FSYNC:-} ]] || durability=()
  start_process etcd "$KAMAJI_NETNS" "$(bin_dir)/etcd" \
    --name=admin --data-dir="$KAMAJI_STATE/etcd" "${durability[@]}" --log-level=warn \
    --auto-compaction-mode=periodic --auto-compaction-retention=5m --quota-backend-bytes=4294967296 \
    --listen-client-urls=https://127.0.0.1:2379 --advertise-client-urls=https://127.0.0.1:2379 \
    --listen-peer-urls=https://127.0.0.1:2380 --initial-advertise-peer-urls=https://127.0.0.1:2380 \
    --initial-cluster=admin=https://127.0.0.1:2380 \
    --listen-metrics-urls=http://127.0.0.1:2381 \
    --client-cert-auth --trusted-ca-file="$PKI_DIR/etcd/ca.crt" \
    --cert-file="$PKI_DIR/etcd/server.crt" --key-file="$PKI_DIR/etcd/server.key" \
    --peer-client-cert-auth --peer-trusted-ca-file="$PKI_DIR/etcd/ca.crt" \
    --peer-cert-file="$PKI_DIR/etcd/peer.crt" --peer-key-file="$PKI_DIR/etcd/peer.key"
}

start_apiserver() {
  start_process kube-apiserver "$KAMAJI_NETNS" "$(bin_dir)/kube-apiserver" \
    --advertise-address="$ADMIN_IP" --secure-port=6443 --allow-privileged=true \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
    --enable-bootstrap-token-auth=true --enable-aggregator-routing=true \
    --service-cluster-ip-range="$SERVICE_CIDR" --service-node-port-range=30000-32767 \
    --client-ca-file="$PKI_DIR/ca.crt" \
    --tls-cert-file="$PKI_DIR/apiserver.crt" --tls-private-key-file="$PKI_DIR/apiserver.key" \
    --etcd-servers=https://127.0.0.1:2379 --etcd-cafile="$PKI_DIR/etcd/ca.crt" \
    --etcd-certfile="$PKI_DIR/apiserver-etcd-client.crt" --etcd-keyfile="$PKI_DIR/apiserver-etcd-client.key" \
    --kubelet-client-certificate="$PKI_DIR/apiserver-kubelet-client.crt" \
    --kubelet-client-key="$PKI_DIR/apiserver-kubelet-client.key" \
    --kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname \
    --proxy-client-cert-file="$PKI_DIR/front-proxy-client.crt" \
    --proxy-client-key-file="$PKI_DIR/front-proxy-client.key" \
    --requestheader-client-ca-file="$PKI_DIR/front-proxy-ca.crt" --requestheader-allowed-names=front-proxy-client \
    --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
    --requestheader-uid-headers=X-Remote-Uid --requestheader-extra-headers-prefix=X-Remote-Extra- \
    --service-account-issuer=https://kubernetes.default.svc.cluster.local \
    --service-account-key-file="$PKI_DIR/sa.pub" --service-account-signing-key-file="$PKI_DIR/sa.key"
}

start_controller_manager() {
  start_process kube-controller-manager "$KAMAJI_NETNS" "$(bin_dir)/kube-controller-manager" \
    --kubeconfig="$KUBECONFIG_DIR/controller-manager.conf" \
    --authentication-kubeconfig="$KUBECONFIG_DIR/controller-manager.conf" \
    --authorization-kubeconfig="$KUBECONFIG_DIR/controller-manager.conf" \
    --bind-address=127.0.0.1 --leader-elect=false --use-service-account-credentials=true \
    --controllers='*,bootstrapsigner,tokencleaner' \
    --allocate-node-cidrs=true --cluster-cidr="$POD_CIDR" --service-cluster-ip-range="$SERVICE_CIDR" \
    --cluster-name=kamaji-admin \
    --client-ca-file="$PKI_DIR/ca.crt" --root-ca-file="$PKI_DIR/ca.crt" \
    --cluster-signing-cert-file="$PKI_DIR/ca.crt" --cluster-signing-key-file="$PKI_DIR/ca.key" \
    --requestheader-client-ca-file="$PKI_DIR/front-proxy-ca.crt" \
    --service-account-private-key-file="$PKI_DIR/sa.key"
}

start_scheduler() {
  start_process kube-scheduler "$KAMAJI_NETNS" "$(bin_dir)/kube-scheduler" \
    --kubeconfig="$KUBECONFIG_DIR/scheduler.conf" \
    --authentication-kubeconfig="$KUBECONFIG_DIR/scheduler.conf" \
    --authorization-kubeconfig="$KUBECONFIG_DIR/scheduler.conf" \
    --bind-address=127.0.0.1 --leader-elect=false
}

# bind_kubeadm_identities: admin.conf and kube-apiserver's client for kubelets have rights only through these bindings,
# which super-admin.conf makes.
bind_kubeadm_identities() {
  local kubectl=("$(bin_dir)/kubectl" --kubeconfig="$KUBECONFIG_DIR/super-admin.conf")
  {
    "${kubectl[@]}" create clusterrolebinding kubeadm:cluster-admins --clusterrole=cluster-admin \
      --group=kubeadm:cluster-admins --dry-run=client -o yaml
    echo ---
    "${kubectl[@]}" create clusterrolebinding kubeadm:apiserver-kubelet-client --clusterrole=system:kubelet-api-admin \
      --user=kube-apiserver-kubelet-client --dry-run=client -o yaml
  } | in_netns "$KAMAJI_NETNS" "${kubectl[@]}" apply -f -
}

apiserver_ready() { must_run etcd && must_run kube-apiserver && kubectl_admin get --raw /readyz; }
default_account_there() { must_run kube-controller-manager && kubectl_admin get serviceaccount default -n default -o name; }

# start_control_plane: returns when kube-apiserver is ready; the controller-manager needs some seconds more.
start_control_plane() {
  mkdir -p "$KAMAJI_STATE" "$RUN_DIR" "$LOG_DIR"
  chmod 711 "$KAMAJI_STATE"
  chmod 700 "$LOG_DIR"
  make_admin_network
  make_credentials
  start_etcd
  start_apiserver
  start_controller_manager
  wait_until 90 "kube-apiserver" apiserver_reachable
  wait_until 60 "the bindings of kubeadm's identities" bind_kubeadm_identities
  wait_until 60 "kube-apiserver to be ready" apiserver_ready
}

# apiserver_reachable: livez with the super admin's certificate, before any binding exists.
apiserver_reachable() {
  must_run etcd && must_run kube-apiserver &&
    in_netns "$KAMAJI_NETNS" "$(bin_dir)/kubectl" --kubeconfig="$KUBECONFIG_DIR/super-admin.conf" get --raw /livez
}

# stop_control_plane: at once; what they would save is deleted next.
stop_control_plane() {
  local name
  for name in kube-scheduler kube-controller-manager kube-apiserver etcd; do stop_process "$name" KILL; done
}
