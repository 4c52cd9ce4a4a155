# shellcheck shell=bash
# The local registry and the images in it, under their upstream names: registry.k8s.io/pause:X is served as
# repository registry.k8s.io/pause, and every node's containerd is sent there.

IMAGE_PATH='"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"]'

# image_table: name | image reference. Names are the functions below, image_NAME.
image_table() {
  cat <<TABLE
pause|registry.k8s.io/pause:$PAUSE_VERSION
kube_proxy|registry.k8s.io/kube-proxy:$KUBERNETES_VERSION
coredns|registry.k8s.io/coredns/coredns:$COREDNS_IMAGE_TAG
kube_apiserver|registry.k8s.io/kube-apiserver:$KUBERNETES_VERSION
kube_controller_manager|registry.k8s.io/kube-controller-manager:$KUBERNETES_VERSION
kube_scheduler|registry.k8s.io/kube-scheduler:$KUBERNETES_VERSION
etcd|quay.io/coreos/etcd:$ETCD_VERSION
proxy_server|registry.k8s.io/kas-network-proxy/proxy-server:$KONNECTIVITY_VERSION
proxy_agent|registry.k8s.io/kas-network-proxy/proxy-agent:$KONNECTIVITY_VERSION
kine|docker.io/rancher/kine:$KINE_VERSION
busybox|docker.io/library/busybox:$BUSYBOX_IMAGE_TAG
TABLE
}

# Also known as: a second tag for the same image.
image_aliases() {
  cat <<TABLE
registry.k8s.io/etcd:$ETCD_IMAGE_TAG|quay.io/coreos/etcd:$ETCD_VERSION
docker.io/library/busybox:$BUSYBOX_IMAGE_TAG-musl|docker.io/library/busybox:$BUSYBOX_IMAGE_TAG
docker.io/rancher/kine:$KINE_VERSION-amd64|docker.io/rancher/kine:$KINE_VERSION
TABLE
}

# image_of_binary REF PROGRAM TARGET USER: one static program, as upstream's own images have it.
image_of_binary() {
  local rootfs entrypoint
  rootfs=$(new_rootfs)
  cp "$(bin_dir)/$2" "$rootfs$3"
  entrypoint="\"Entrypoint\":[\"$3\"],"
  make_image "$1" "$rootfs" "{$entrypoint\"User\":\"$4\",\"WorkingDir\":\"/\",$IMAGE_PATH}"
  rm -rf "$rootfs"
}

image_kube_apiserver() { image_of_binary "$1" kube-apiserver /usr/local/bin/kube-apiserver 0; }
image_kube_controller_manager() { image_of_binary "$1" kube-controller-manager /usr/local/bin/kube-controller-manager 0; }
image_kube_scheduler() { image_of_binary "$1" kube-scheduler /usr/local/bin/kube-scheduler 0; }
image_coredns() { image_of_binary "$1" coredns /coredns 65532; }
image_proxy_server() { image_of_binary "$1" proxy-server /proxy-server 65532; }
image_proxy_agent() { image_of_binary "$1" proxy-agent /proxy-agent 65532; }
image_kine() {
  local rootfs
  rootfs=$(new_rootfs)
  add_busybox "$rootfs" # upstream's is built on Alpine, so it has a shell too
  cp "$(bin_dir)/kine" "$rootfs/bin/kine"
  make_image "$1" "$rootfs" "{\"Entrypoint\":[\"/bin/kine\"],$IMAGE_PATH}"
  rm -rf "$rootfs"
}

image_etcd() {
  local rootfs
  rootfs=$(new_rootfs)
  cp "$(bin_dir)/etcd" "$(bin_dir)/etcdctl" "$rootfs/usr/local/bin/"
  make_image "$1" "$rootfs" "{\"Cmd\":[\"/usr/local/bin/etcd\"],\"WorkingDir\":\"/\",$IMAGE_PATH}"
  rm -rf "$rootfs"
}

image_busybox() {
  local rootfs
  rootfs=$(new_rootfs)
  add_busybox "$rootfs"
  make_image "$1" "$rootfs" "{\"Cmd\":[\"sh\"],$IMAGE_PATH}"
  rm -rf "$rootfs"
}

# image_pause: upstream's own C source, as the module cache has it.
image_pause() {
  local rootfs source
  rootfs=$(new_rootfs)
  source=$(cd "$HACK/build/kubernetes" && GOFLAGS='' go list -mod=readonly -m -f '{{.Dir}}' k8s.io/kubernetes)/build/pause/linux/pause.c
  gcc -Os -Wall -static -DVERSION="$PAUSE_VERSION" -o "$rootfs/pause" "$source"
  strip "$rootfs/pause"
  make_image "$1" "$rootfs" "{\"Entrypoint\":[\"/pause\"],\"User\":\"65535:65535\",$IMAGE_PATH}"
  rm -rf "$rootfs"
}

# image_kube_proxy: it runs iptables, nft and conntrack, so they come along with libraries and match modules.
image_kube_proxy() {
  local rootfs name
  rootfs=$(new_rootfs)
  copy_program "$rootfs" /usr/sbin/xtables-nft-multi /usr/sbin/nft /usr/sbin/conntrack /bin/kmod
  copy_program "$rootfs" /usr/lib/x86_64-linux-gnu/xtables/*.so
  for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
    ln -sf xtables-nft-multi "$rootfs/usr/sbin/$name"
  done
  ln -sf /bin/kmod "$rootfs/usr/sbin/modprobe"
  add_busybox "$rootfs"
  cp "$(bin_dir)/kube-proxy" "$rootfs/usr/local/bin/kube-proxy"
  make_image "$1" "$rootfs" "{\"Entrypoint\":[\"/usr/local/bin/kube-proxy\"],\"User\":\"0\",$IMAGE_PATH}"
  rm -rf "$rootfs"
}

start_registry() {
  local blobs
  blobs=$(dirname "$(bin_dir)")/registry
  mkdir -p "$blobs"
  start_process registry "$KAMAJI_NETNS" "$(bin_dir)/crane" registry serve --address="$REGISTRY" --disk="$blobs"
  wait_until 20 "the local registry" registry_answers
}
registry_answers() { must_run registry && in_netns "$KAMAJI_NETNS" "$(bin_dir)/crane" catalog --insecure "$REGISTRY"; }

registry_crane() { in_netns "$KAMAJI_NETNS" "$(bin_dir)/crane" "$@" --insecure >>"$LOG_DIR/registry-push.log" 2>&1; }

# push_images: makes the images which the cache does not have and puts all of them into the registry (it keeps
# manifests in memory only, so this is done at every start; blobs that it has are not sent again).
push_images() {
  local name ref alias
  while IFS='|' read -r name ref; do
    if [[ ! -e $(oci_dir "$ref")/oci-layout ]]; then "image_$name" "$ref"; fi
    registry_crane push "$(oci_dir "$ref")" "$REGISTRY/$ref" || die "could not push $ref; see $LOG_DIR/registry-push.log"
  done < <(image_table)
  while IFS='|' read -r alias ref; do
    registry_crane copy "$REGISTRY/$ref" "$REGISTRY/$alias" || die "could not tag $alias; see $LOG_DIR/registry-push.log"
  done < <(image_aliases)
}

# pull_image NODE REF: onto the node, the way its kubelet would.
pull_image() {
  in_node "$1" ctr --namespace k8s.io images pull --hosts-dir /etc/containerd/certs.d "$2" >>"$LOG_DIR/pull.log" 2>&1 ||
    die "node $1 could not pull $2; see $LOG_DIR/pull.log"
}

# pull_control_plane_images NODE: so that the first tenant starts at once.
pull_control_plane_images() {
  local name ref
  while IFS='|' read -r name ref; do
    case "$name" in
      pause | kube_* | etcd | proxy_server | busybox | coredns) pull_image "$1" "$ref" ;;
    esac
  done < <(image_table)
}
