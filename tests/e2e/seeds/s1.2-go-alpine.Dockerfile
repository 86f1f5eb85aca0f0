FROM offcut-seed/golang:1.21 AS builder
WORKDIR /app
COPY . .
RUN go build -o myapp

FROM offcut-seed/alpine:3.18
WORKDIR /app
COPY --from=builder /app/myapp .
CMD ["./myapp"]
