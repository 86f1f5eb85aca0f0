# case: app=c to=debian:bookworm-slim
FROM gcc:12
RUN apt-get update && apt-get install -y libsqlite3-dev
COPY . /usr/src/app
WORKDIR /usr/src/app
RUN make
CMD ["./server"]
