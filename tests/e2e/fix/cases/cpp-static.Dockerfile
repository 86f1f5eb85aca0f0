# case: app=cpp to=gcr.io/distroless/static-debian12
FROM gcc:12
WORKDIR /app
COPY *.cpp *.hpp ./
RUN g++ -O2 -static -o /app/server server.cpp greet.cpp && strip /app/server
ENTRYPOINT ["/app/server"]
