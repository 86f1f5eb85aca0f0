# case: app=c newer
FROM gcc:12
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked <<EOF
#!/bin/bash -e
apt-get update
apt-get install -y libsqlite3-dev
EOF
COPY --link . /src
WORKDIR /src
RUN <<EOF
make
install server /usr/local/bin/server
EOF
CMD ["server"]
