# The image of offcut: one static program in an image that has nothing else.
#
#   docker build --tag offcut .
#   docker save shop/api:1.4 | docker run --rm --interactive offcut scan -
#   docker run --rm --volume /var/run/docker.sock:/var/run/docker.sock --user 0 offcut scan docker:shop/api:1.4
#
# The socket of the engine belongs to root, hence --user 0 in the last line; nothing else needs it.

# Alpine's Rust builds for musl, and with that statically, unless told otherwise.
FROM rust:1.95-alpine@sha256:606fd313a0f49743ee2a7bd49a0914bab7deedb12791f3a846a34a4711db7ed2 AS build
# zstd and SQLite are C.
RUN apk add --no-cache build-base
WORKDIR /src
COPY Cargo.toml Cargo.lock build.rs ./
COPY policies policies
COPY src src
RUN cargo build --locked --release && strip --strip-all target/release/offcut

FROM scratch
COPY --from=build /src/target/release/offcut /offcut
COPY LICENSE /LICENSE
USER 65532:65532
ENTRYPOINT ["/offcut"]
CMD ["--help"]
