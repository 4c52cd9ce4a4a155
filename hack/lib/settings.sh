# shellcheck shell=bash disable=SC2034
# Where the test cluster lives. Two clusters on one machine need another KAMAJI_STATE and another KAMAJI_NETNS.

KAMAJI_STATE=${KAMAJI_STATE:-/var/lib/kamaji-test}
KAMAJI_NETNS=${KAMAJI_NETNS:-kamaji-admin}

BRIDGE=kamaji0            # inside the network namespace, so its name clashes with nothing
ADMIN_IP=10.240.0.1       # the admin cluster's machine, and every worker's gateway
MACHINE_NET=10.240.0      # workers are $MACHINE_NET.10 and up
POD_CIDR=10.200.0.0/16    # tenants use 10.244.0.0/16 and 10.96.0.0/16 by default
SERVICE_CIDR=10.201.0.0/16
DNS_IP=10.201.0.10
REGISTRY=$ADMIN_IP:5000
ADMIN_NODE="admin"

RUN_DIR=$KAMAJI_STATE/run # pid files
LOG_DIR=$KAMAJI_STATE/log
NODES_DIR=$KAMAJI_STATE/nodes
PKI_DIR=$KAMAJI_STATE/pki
KUBECONFIG_DIR=$KAMAJI_STATE/kubeconfig
ADMIN_KUBECONFIG=$KUBECONFIG_DIR/admin.conf

IMAGE_REPOSITORY=ghcr.io/kamaji-native/kamaji

# check_settings: paths that a node's private mounts would hide, or that are no paths, are refused.
check_settings() {
  case "$KAMAJI_STATE" in
    /run/* | /etc/* | /proc/* | /sys/* | /dev/* | / | /var | /var/lib) die "KAMAJI_STATE=$KAMAJI_STATE cannot be used; take a folder such as /var/lib/kamaji-test" ;;
    /*) ;;
    *) die "KAMAJI_STATE must be an absolute path, not $KAMAJI_STATE" ;;
  esac
  [[ $KAMAJI_NETNS =~ ^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$ ]] || die "KAMAJI_NETNS must be a short lower case name, not $KAMAJI_NETNS"
}

# kubectl_admin ARGS: kubectl against the admin cluster, from inside its network namespace.
kubectl_admin() { KUBECONFIG=$ADMIN_KUBECONFIG in_netns "$KAMAJI_NETNS" "$(bin_dir)/kubectl" "$@"; }
