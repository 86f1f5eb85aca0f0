# case: app=go
FROM golang:1.22 AS compile
WORKDIR /src
COPY . .
RUN CGO_ENABLED=0 go build -o server .

FROM debian:bookworm
# Everything, to be sure.
COPY --from=compile /src /src
COPY --from=compile /usr/local/go /usr/local/go
WORKDIR /src
EXPOSE 8080/tcp
CMD ["./server"]
