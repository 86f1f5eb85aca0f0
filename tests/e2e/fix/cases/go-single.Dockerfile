# case: app=go to=debian:bookworm-slim history ignore
FROM golang:1.22
WORKDIR /app
COPY . .
RUN go build -o server .
# The port of the service.
EXPOSE 8080
CMD ["./server"]
