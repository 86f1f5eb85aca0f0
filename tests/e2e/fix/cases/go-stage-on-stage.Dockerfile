# case: app=go
FROM golang:1.22 AS deps
WORKDIR /src
COPY go.mod ./
ENV CGO_ENABLED=0

FROM deps
COPY . .
RUN go build -o /bin/hello .
CMD ["hello"]
