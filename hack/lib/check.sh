# shellcheck shell=bash
# What this machine must have before anything is started. Everything that is missing is named at once, each with what
# to do about it.

DEBIAN_PACKAGES=(runc containernetworking-plugins conntrack iptables nftables socat ethtool kmod iproute2 busybox-static buildah openssl gcc libc6-dev)

MISSING=()
missing() { MISSING+=("$*"); }

# report_missing: dies with the list when there is one.
report_missing() {
  local line
  if ((${#MISSING[@]} == 0)); then return 0; fi
  printf 'error: this machine is not ready for the test cluster; nothing was started:\n' >&2
  for line in "${MISSING[@]}"; do printf '  - %s\n' "$line" >&2; done
  exit 1
}

check_root() { ((EUID == 0)) || missing "not root: network namespaces and containers need it; run with sudo"; }

# version_at_least HAVE WANT
version_at_least() { [[ $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1) == "$2" ]]; }

check_go() {
  local have
  if ! command -v go >/dev/null; then
    missing "go is not on PATH: install Go 1.26.8 or newer from https://go.dev/dl and put its bin folder on PATH (sudo resets PATH: sudo env PATH=\"\$PATH\" $0)"
    return
  fi
  have=$(go env GOVERSION) && have=${have#go}
  version_at_least "${have%% *}" 1.26 || [[ $(go env GOTOOLCHAIN) != local ]] ||
    missing "Go $have is too old: install Go 1.26.8 or newer from https://go.dev/dl"
}

check_node() {
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    missing "node and npm are not on PATH: install Node.js 20 or newer from https://nodejs.org (or: apt-get install nodejs npm)"
    return
  fi
  version_at_least "$(node --version | tr -d v)" 18.0.0 || missing "Node.js $(node --version) is too old: install 20 or newer"
}

# check_disk FOLDER GIB WHAT: on the file system which FOLDER is or will be on.
check_disk() {
  local folder=$1 free
  while [[ ! -d $folder ]]; do folder=$(dirname "$folder"); done
  free=$(df --output=avail -k "$folder" | tail -n 1)
  ((free / 1024 / 1024 >= $2)) || missing "$((free / 1024 / 1024)) GiB free in $folder, $2 GiB are needed for $3"
}

check_memory() {
  local total
  total=$(awk '$1 == "MemTotal:" { print int($2 / 1024 / 1024) }' /proc/meminfo)
  ((total >= 3)) || missing "$total GiB of memory, 4 GiB are needed"
}

check_linux() {
  [[ $(uname -s) == Linux ]] || { missing "$(uname -s) is not Linux: use a Linux machine, or '$0 --kubeconfig FILE' with an existing cluster"; return; }
  [[ $(uname -m) == x86_64 ]] || missing "this machine is $(uname -m); the test cluster's images are made for x86_64 only: use '$0 --kubeconfig FILE' with an existing cluster"
  command -v apt-get >/dev/null || command -v runc >/dev/null || missing "no apt-get: on another system than Debian install yourself: ${DEBIAN_PACKAGES[*]}"
}

# check_kernel: tried out in a throw-away network namespace, because a feature may be built in, a loadable module or absent.
check_kernel() {
  local module probe
  for module in overlay br_netfilter nf_tables veth bridge nf_conntrack nft_masq nft_fib_inet; do modprobe -q "$module" 2>/dev/null || true; done
  grep -qw overlay /proc/filesystems || missing "the kernel has no overlayfs (CONFIG_OVERLAY_FS)"
  [[ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]] || missing "the kernel has no br_netfilter (CONFIG_BRIDGE_NETFILTER); try: modprobe br_netfilter"
  probe=$(unshare --net --mount --pid --uts --ipc --fork bash -c \
    'ip link add b0 type bridge || echo "bridge devices (CONFIG_BRIDGE)"
     ip link add v0 type veth peer name v1 || echo "veth devices (CONFIG_VETH)"' 2>/dev/null) ||
    { missing "this process may not create network, mount and process namespaces (a container without CAP_SYS_ADMIN?)"; return; }
  if [[ -n $probe ]]; then missing "the kernel cannot make: ${probe//$'\n'/, }"; fi
  if command -v nft >/dev/null; then
    unshare --net nft add table ip probe 2>/dev/null || missing "the kernel has no nf_tables (CONFIG_NF_TABLES)"
  fi
  if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
    grep -qw memory /sys/fs/cgroup/cgroup.controllers || missing "cgroup v2 without the memory controller"
  else
    for module in cpu memory pids cpuset; do
      grep -qE "^cgroup .* cgroup .*[ ,]$module(,| |\$)" /proc/mounts || missing "the cgroup v1 hierarchy '$module' is not mounted"
    done
  fi
}

# check_machine: for the test cluster of our own. Disk: sizes measured, with room.
check_machine() {
  local cache
  cache=$(dirname "$(dirname "$(bin_dir)")")
  check_linux
  check_root
  check_go
  check_node
  if [[ -x $(bin_dir)/kine ]]; then check_disk "$cache" 1 "the build cache"; else check_disk "$cache" 14 "Go modules, Go's build cache and the programs"; fi
  check_disk "$KAMAJI_STATE" 5 "the cluster's state (KAMAJI_STATE)"
  check_memory
  if ((EUID == 0)) && [[ $(uname -s) == Linux ]]; then check_kernel; fi
  report_missing
}

# install_packages: only those which are not there.
install_packages() {
  local package log absent=()
  for package in "${DEBIAN_PACKAGES[@]}"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || absent+=("$package")
  done
  if ((${#absent[@]} == 0)); then return 0; fi
  command -v apt-get >/dev/null || die "these Debian packages or their like are needed: ${absent[*]}"
  say "installing Debian packages: ${absent[*]}"
  log=$(mktemp)
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${absent[@]}"; } >"$log" 2>&1 || {
    tail -n 15 "$log" >&2
    die "apt-get could not install ${absent[*]}; whole log: $log"
  }
  rm -f "$log"
}
