# case: app=rust outcome=refused reason="builds when it starts"
FROM rust:1.63
WORKDIR /app
COPY . .
RUN cargo build --release
CMD ["cargo", "run", "--release"]
