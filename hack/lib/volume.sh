# shellcheck shell=bash
# The volume behind our PersistentVolumeClaim. The test cluster has no provisioner, so it is a folder of the node.

# make_product_volume: bound to the claim by name; owned by the image's user, since hostPath knows no fsGroup.
make_product_volume() {
  local folder=$KAMAJI_STATE/volumes/kamaji
  install -d -m 0700 -o 65532 -g 65532 "$folder"
  kubectl_target apply -f - >/dev/null <<YAML
apiVersion: v1
kind: PersistentVolume
metadata: { name: kamaji }
spec:
  capacity: { storage: 1Gi }
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  claimRef: { namespace: $SYSTEM_NAMESPACE, name: kamaji }
  hostPath: { path: $folder, type: Directory }
YAML
}
