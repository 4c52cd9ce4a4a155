# shellcheck shell=bash
# Builds upstream's own programs from Go modules at pinned versions into a per-user cache.

# kubernetes_flags VERSION: what Kubernetes' programs of that version are told to call themselves.
kubernetes_flags() {
  local minor=${1#v1.} twin
  for twin in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    printf ' -X %s' "$twin.gitVersion=$1" "$twin.gitMajor=1" "$twin.gitMinor=${minor%%.*}" "$twin.gitTreeState=clean"
  done
}

# name | module folder | package | cgo | extra -X flags
build_table() {
  local kube
  kube=$(kubernetes_flags "$KUBERNETES_VERSION")
  cat <<TABLE
kube-apiserver|kubernetes|k8s.io/kubernetes/cmd/kube-apiserver|0|$kube
etcd|etcd|go.etcd.io/etcd/server/v3|0|
kubectl|kubernetes|k8s.io/kubernetes/cmd/kubectl|0|$kube
kube-controller-manager|kubernetes|k8s.io/kubernetes/cmd/kube-controller-manager|0|$kube
kubeadm|kubernetes|k8s.io/kubernetes/cmd/kubeadm|0|$kube
containerd|containerd|github.com/containerd/containerd/v2/cmd/containerd|0|-X github.com/containerd/containerd/v2/version.Version=$CONTAINERD_VERSION
containerd-shim-runc-v2|containerd|github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2|0|-X github.com/containerd/containerd/v2/version.Version=$CONTAINERD_VERSION
ctr|containerd|github.com/containerd/containerd/v2/cmd/ctr|0|-X github.com/containerd/containerd/v2/version.Version=$CONTAINERD_VERSION
kubelet|kubernetes|k8s.io/kubernetes/cmd/kubelet|0|$kube
kube-scheduler|kubernetes|k8s.io/kubernetes/cmd/kube-scheduler|0|$kube
kube-proxy|kubernetes|k8s.io/kubernetes/cmd/kube-proxy|0|$kube
crane|crane|github.com/google/go-containerregistry/cmd/crane|0|-X github.com/google/go-containerregistry/cmd/crane/cmd.Version=$CRANE_VERSION
etcdctl|etcdctl|go.etcd.io/etcd/etcdctl/v3|0|
proxy-server|konnectivity|sigs.k8s.io/apiserver-network-proxy/cmd/server|0|
proxy-agent|konnectivity|sigs.k8s.io/apiserver-network-proxy/cmd/agent|0|
coredns|coredns|github.com/coredns/coredns|0|
kine|kine|github.com/k3s-io/kine|1|
TABLE
}

# other_kubectl_table: kubectl-v1.MINOR of each other version, in the columns of build_table. No part of the cluster: their
# versions are no part of the cache's key, but of the files' names.
other_kubectl_table() {
  local version
  for version in "${OTHER_KUBECTL_VERSIONS[@]}"; do
    echo "kubectl-$version|kubectl-${version%.*}|k8s.io/kubernetes/cmd/kubectl|0|$(kubernetes_flags "$version")"
  done
}

# bin_dir: the cache folder for exactly these versions.
bin_dir() {
  local key
  key="$({ find "$HACK"/build/*/go.mod "$HACK"/build/*/go.sum -not -path '*/kubectl-*' -exec cat {} +; build_table; } | sha256sum | cut -c1-10)"
  echo "${XDG_CACHE_HOME:-$HOME/.cache}/kamaji/$KUBERNETES_VERSION-$key/bin"
}

# build_one NAME: builds it if it is not there; output goes to a log beside the binaries.
build_one() {
  local dir name module package cgo xflags row log tags=() static=""
  dir="$(bin_dir)"
  row="$({ build_table; other_kubectl_table; } | grep "^$1|")" || die "no such binary: $1"
  IFS='|' read -r name module package cgo xflags <<<"$row"
  if [[ -x $dir/$name ]]; then return 0; fi
  mkdir -p "$dir" "$dir/../log"
  log="$dir/../log/$name.log"
  if [[ $cgo == 1 ]]; then
    static=" -linkmode external -extldflags -static"
    tags=(-tags "netgo osusergo sqlite_omit_load_extension")
  fi
  (
    cd "$HACK/build/$module"
    GOFLAGS='' GOWORK=off CGO_ENABLED=$cgo nice -n 5 go build -mod=readonly -trimpath -buildvcs=false "${tags[@]}" \
      -ldflags "-s -w$static $xflags" -o "$dir/.$name.$$" "$package"
  ) >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    rm -f "$dir/.$name.$$"
    die "building $name failed; whole log: $log"
  }
  mv "$dir/.$name.$$" "$dir/$name"
}

# build_binaries NAME...: builds what is missing, one after the other (go itself uses every core), and says how far it is.
build_binaries() {
  local dir missing=() name count=0 begin pid ticks
  dir="$(bin_dir)"
  for name in "$@"; do
    { build_table; other_kubectl_table; } | grep "^$name|" >/dev/null || die "no such binary: $name; known: $({ build_table; other_kubectl_table; } | cut -d'|' -f1 | xargs)"
    [[ -x $dir/$name ]] || missing+=("$name")
  done
  if ((${#missing[@]} == 0)); then return 0; fi
  command -v go >/dev/null || die "go is not on PATH: install Go 1.26 or newer from https://go.dev/dl and put its bin folder on PATH"
  (
    mkdir -p "$dir"
    exec 9>"$dir/.lock"
    flock -n 9 || { say "another build is at work in $dir; waiting for it"; flock 9; }
    for name in "${missing[@]}"; do
      count=$((count + 1))
      begin=$(date +%s)
      if [[ -x $dir/$name ]]; then continue; fi
      say "building $count/${#missing[@]} $name; still to come: ${missing[*]:count}"
      build_one "$name" 9>&- &
      pid=$!
      ticks=0
      while kill -0 "$pid" 2>/dev/null; do
        sleep 1
        ticks=$((ticks + 1))
        if ((ticks % 30 == 0)); then say "  ... $name, $(elapsed "$begin") so far"; fi
      done
      wait "$pid" || exit 1
      say "  built $name in $(elapsed "$begin")"
    done
  ) || exit 1
}
