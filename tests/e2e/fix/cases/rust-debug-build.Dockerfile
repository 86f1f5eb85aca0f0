# case: app=rust
FROM rust:1.63
COPY . /hello
WORKDIR /hello
RUN --mount=type=cache,target=/usr/local/cargo/registry cargo build
ENV GREETING=/hello/static/greeting.txt
CMD /hello/target/debug/hello
