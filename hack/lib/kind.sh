# shellcheck shell=bash
# kind, where a Docker engine answers.

KIND_CLUSTER=kamaji

# find_kind: prints a kind program: the one on PATH, else built into the cache.
find_kind() {
  local dir
  command -v kind && return 0
  dir=$(dirname "$(dirname "$(bin_dir)")")/kind-$KIND_VERSION
  if [[ ! -x $dir/kind ]]; then
    command -v go >/dev/null || die "neither kind nor go is on PATH: see https://kind.sigs.k8s.io/docs/user/quick-start"
    say "building kind $KIND_VERSION"
    mkdir -p "$dir"
    GOFLAGS='' GOBIN=$dir go install "sigs.k8s.io/kind@$KIND_VERSION" >&2 || die "kind could not be built"
  fi
  echo "$dir/kind"
}

check_docker() {
  local own="or go on without Docker: 'hack/up' makes a cluster of its own on a Linux machine, 'hack/up --kubeconfig FILE' uses an existing one"
  command -v docker >/dev/null || die "--kind needs a Docker engine, and there is no docker program on PATH. Install it (https://docs.docker.com/engine/install), $own"
  docker info >/dev/null 2>&1 || die "--kind needs a Docker engine, and none answers ('docker info' fails). Start it, $own"
}

up_kind() {
  local kind
  check_docker
  kind=$(find_kind) || exit 1
  if ! "$kind" get clusters 2>/dev/null | grep -qx "$KIND_CLUSTER"; then
    "$kind" create cluster --config "$HACK/kind/cluster.yaml" --wait 120s
  fi
  TARGET_KUBECONFIG=${XDG_CACHE_HOME:-$HOME/.cache}/kamaji/kind.kubeconfig
  mkdir -p "$(dirname "$TARGET_KUBECONFIG")"
  (umask 077 && "$kind" get kubeconfig --name "$KIND_CLUSTER" >"$TARGET_KUBECONFIG")
  if [[ -n $deploy && -z $image ]]; then
    image=$IMAGE_REPOSITORY:$(product_tag)
    say "building $image"
    DOCKER_BUILDKIT=1 docker build --quiet --tag "$image" "$REPO" >/dev/null
    "$kind" load docker-image "$image" --name "$KIND_CLUSTER"
  fi
  up_existing
}

kind_down() {
  local kind
  check_docker
  kind=$(find_kind) || exit 1
  "$kind" delete cluster --name "$KIND_CLUSTER"
  rm -f "${XDG_CACHE_HOME:-$HOME/.cache}/kamaji/kind.kubeconfig"
}
