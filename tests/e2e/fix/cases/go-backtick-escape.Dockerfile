# case: app=go
# escape=`
FROM golang:1.22
WORKDIR /app
COPY . .
RUN CGO_ENABLED=0 `
    go build -o /usr/local/bin/server .
ENTRYPOINT ["/usr/local/bin/server"]
