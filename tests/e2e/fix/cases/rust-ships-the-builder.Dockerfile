# case: app=rust
FROM rust:1.63 AS builder
WORKDIR /app
COPY . .
RUN cargo build --release

FROM rust:1.63
WORKDIR /app
COPY --from=builder /app /app
CMD ["/app/target/release/hello"]
