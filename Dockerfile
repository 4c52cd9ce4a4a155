# The product's image. `docker build .` is all it takes; behind a proxy with its own certificate authority add
# `--secret id=ca,src=FILE` with the bundle to trust, and `--secret id=npmrc,src=FILE` for another registry.

FROM docker.io/library/node:26.10.0-bookworm-slim AS dependencies
WORKDIR /app
ENV NPM_CONFIG_UPDATE_NOTIFIER=false NPM_CONFIG_FUND=false NPM_CONFIG_AUDIT=false
# The two lists first: these layers are made again only when a dependency changes.
COPY package.json package-lock.json ./

FROM dependencies AS build
RUN --mount=type=secret,id=ca,target=/run/secrets/ca.crt --mount=type=secret,id=npmrc,target=/run/secrets/npmrc \
    if [ -s /run/secrets/ca.crt ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca.crt; fi; \
    if [ -s /run/secrets/npmrc ]; then export NPM_CONFIG_USERCONFIG=/run/secrets/npmrc; fi; \
    npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

# Optional packages are development's: the pinned Node itself, which the base image has already.
FROM dependencies AS production
RUN --mount=type=secret,id=ca,target=/run/secrets/ca.crt --mount=type=secret,id=npmrc,target=/run/secrets/npmrc \
    if [ -s /run/secrets/ca.crt ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca.crt; fi; \
    if [ -s /run/secrets/npmrc ]; then export NPM_CONFIG_USERCONFIG=/run/secrets/npmrc; fi; \
    npm ci --ignore-scripts --omit=dev --omit=optional && mkdir /state

FROM docker.io/library/node:26.10.0-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production
# Large blocks go back to the system when they are freed, instead of leaving holes (docs/decisions/0008).
ENV MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=65536 MALLOC_TRIM_THRESHOLD_=131072
COPY --from=production /app/package.json ./package.json
COPY --from=production /app/node_modules ./node_modules
# A named or anonymous volume starts as a copy of this folder, owner included.
COPY --from=production --chown=65532:65532 /state /var/lib/kamaji
COPY --from=build /app/dist ./dist
USER 65532:65532
VOLUME ["/var/lib/kamaji"]
# A small young generation, and an old one that is collected when a fifth more is in it: our garbage is short-lived, and a third of the
# memory is not worth a few percent of the time.
ENTRYPOINT ["node", "--max-semi-space-size=1", "--heap-growing-percent=20", "dist/main.js"]
