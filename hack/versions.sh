# shellcheck shell=bash disable=SC2034
# Versions of everything that the test cluster is made of, in one place. Sourced, never run.
#
# Where the binaries are: `hack/bin-dir` prints the folder, `hack/build-binaries NAME...` builds the named ones into it
# (all of them with no name). It is ${XDG_CACHE_HOME:-$HOME/.cache}/kamaji/<key>/bin, where <key> is made of the
# Kubernetes version and a checksum of hack/build (the pinned modules) and of this file's versions: another
# version is another folder, so nothing stale is ever run.
#
# To move a version: change it here, run `hack/build/regenerate`, commit the go.mod and go.sum files that it wrote.

KUBERNETES_VERSION=v1.36.3
# Other versions of kubectl, whose users our API has too: built only for hack/test clients.
OTHER_KUBECTL_VERSIONS=(v1.32.13 v1.34.8 v1.37.2)
ETCD_VERSION=v3.6.16
CONTAINERD_VERSION=v2.3.7
KONNECTIVITY_VERSION=v0.36.0
KINE_VERSION=v0.17.5
COREDNS_BUILD_VERSION=v1.14.7
CRANE_VERSION=v0.20.6
KIND_VERSION=v0.32.0 # built only for --kind, where none is on PATH

# Tags under which images are put into the local registry.
COREDNS_IMAGE_TAG=v1.14.2 # what kubeadm of KUBERNETES_VERSION deploys; the binary inside is COREDNS_BUILD_VERSION
PAUSE_VERSION=3.10.2
ETCD_IMAGE_TAG=3.6.16-0
BUSYBOX_IMAGE_TAG=1.36
NODE_IMAGE_TAG=26.10.0-bookworm-slim
NODE_VERSION=26.10.0
NPM_VERSION=11.21.2
