# case: app=cpp to=debian:bookworm-slim
FROM buildpack-deps:bookworm
RUN apt-get update && apt-get install -y cmake && rm -rf /var/lib/apt/lists/*
COPY . /src
RUN cmake -S /src -B /build && cmake --build /build && cmake --install /build && ldconfig
CMD ["server"]
