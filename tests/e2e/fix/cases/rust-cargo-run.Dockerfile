# case: app=rust outcome=refused reason="needs Cargo"
FROM rust:1.63
WORKDIR /app
COPY . .
RUN cargo build --release
CMD ["cargo", "run", "--release"]
