# case: app=rust
FROM rust:1.63

WORKDIR /usr/src/hello
COPY . .

RUN cargo install --path .

CMD ["hello"]
