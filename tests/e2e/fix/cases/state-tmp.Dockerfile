# case: app=state
FROM golang:1.22
WORKDIR /app
COPY . .
RUN CGO_ENABLED=0 go build -o visits
ENV STATE_DIRECTORY=/tmp
CMD ["/app/visits"]
