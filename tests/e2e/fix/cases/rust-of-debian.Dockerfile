# case: app=rust
FROM debian:bookworm
RUN apt-get update && apt-get install -y --no-install-recommends cargo gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /srv/hello
COPY . .
RUN cargo build --release --locked
ENV RUST_BACKTRACE=1
ENTRYPOINT ["/srv/hello/target/release/hello"]
