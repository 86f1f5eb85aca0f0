# case: app=c
FROM debian:bookworm
RUN apt-get update && apt-get install -y gcc make libc6-dev libsqlite3-0 libsqlite3-dev
WORKDIR /src
COPY . .
RUN make && cp server /usr/local/bin/
RUN apt-get purge -y gcc make libc6-dev && apt-get autoremove -y && rm -rf /src /var/lib/apt/lists/*
WORKDIR /
CMD ["server"]
