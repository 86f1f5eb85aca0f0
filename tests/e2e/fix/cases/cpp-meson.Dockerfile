# case: app=cpp
FROM debian:bookworm

RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
      g++ \
      meson \
      ninja-build \
 && apt-get clean

WORKDIR /work
COPY . .
RUN meson setup builddir --prefix=/usr/local
RUN ninja -C builddir install

CMD ["/usr/local/bin/server"]
