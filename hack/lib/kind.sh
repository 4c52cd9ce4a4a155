# shellcheck shell=bash
# kind, where a Docker engine answers. The cluster's node ports of the sample tenant are reachable on the host.

KIND_CLUSTER=kamaji
kind_down() { kind delete cluster --name "$KIND_CLUSTER"; }
