# case: app=rust
FROM rust:1.63
WORKDIR /app
# Dependencies first, for the cache.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src && echo 'fn main() {}' > src/main.rs && cargo build --release && rm -r src
COPY src ./src
COPY static ./static
RUN touch src/main.rs && cargo build --release && cp target/release/hello /usr/local/bin/
CMD ["hello"]
