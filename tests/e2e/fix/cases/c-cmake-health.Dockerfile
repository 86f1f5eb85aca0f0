# case: app=c quick verify ignore
# Made with BuildKit.
FROM debian:bookworm
RUN apt-get update
RUN apt-get install -y --no-install-recommends build-essential cmake libsqlite3-dev curl
WORKDIR /src
COPY . .
RUN cmake -S . -B build -DCMAKE_BUILD_TYPE=Release \
 && cmake --build build \
 && install build/server /usr/local/bin/server
HEALTHCHECK CMD curl --fail http://localhost:${PORT:-8080}/ || exit 1
CMD server
