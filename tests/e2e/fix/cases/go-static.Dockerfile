# case: app=go to=gcr.io/distroless/static-debian12 quick verify="curl -fsS http://127.0.0.1" podman
# Made with BuildKit.
FROM golang:1.22
LABEL org.opencontainers.image.title="hello"
ENV CGO_ENABLED=0 GREETING=hello
WORKDIR /src
COPY go.mod ./
COPY . .
RUN --mount=type=cache,target=/root/.cache/go-build go build -trimpath -o /usr/local/bin/hello .
ENTRYPOINT ["hello"]
