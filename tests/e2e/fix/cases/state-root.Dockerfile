# case: app=state
FROM golang:1.22
WORKDIR /app
COPY . .
RUN CGO_ENABLED=0 go build -o server . && mkdir -p /var/lib/visits
ENV STATE_DIRECTORY=/var/lib/visits
CMD ["./server"]
