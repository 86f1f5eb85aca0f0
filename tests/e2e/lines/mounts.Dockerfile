FROM offcut-lines/alpine AS build
RUN mkdir -p /opt/built2/.git/objects /opt/built2/.git/refs && echo "ref: refs/heads/main" > /opt/built2/.git/HEAD && echo "[core]" > /opt/built2/.git/config && echo x > /opt/built2/.git/objects/x && echo x > /opt/built2/.git/refs/x
FROM offcut-lines/alpine
RUN --mount=type=cache,target=/var/cache/x mkdir -p /opt/one/.git/objects /opt/one/.git/refs && echo "ref: refs/heads/main" > /opt/one/.git/HEAD && echo "[core]" > /opt/one/.git/config && echo x > /opt/one/.git/objects/x && echo x > /opt/one/.git/refs/x
RUN --mount=from=build,source=/opt/built2,target=/mnt cp -r /mnt /opt/cloned
