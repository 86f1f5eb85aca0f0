# case: app=go
FROM golang:1.22
ARG GITHUB_TOKEN
ARG TARGETOS=linux
WORKDIR /app
COPY go.mod main.go ./
COPY templates templates
RUN CGO_ENABLED=0 GOOS=$TARGETOS go build -ldflags="-s -w" -o /app/server .
CMD ["/app/server"]
