# case: app=go newer to=debian:bookworm-slim history
FROM golang:1.22
# What the build wants.
RUN <<EOF
apt-get update
apt-get install -y --no-install-recommends git
rm -rf /var/lib/apt/lists/*
EOF
WORKDIR /src
COPY --link . .
RUN --mount=type=cache,target=/root/.cache/go-build <<EOF
set -e
go vet .
go build -o /usr/local/bin/server .
EOF
CMD ["server"]
