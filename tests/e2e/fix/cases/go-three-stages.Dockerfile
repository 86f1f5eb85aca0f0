# case: app=go
FROM golang:1.22 AS base
WORKDIR /src
COPY . .

FROM base AS test
RUN go vet ./...

FROM base AS build
RUN CGO_ENABLED=0 go build -o /out/server .

FROM golang:1.22-alpine
WORKDIR /app
COPY --from=build /out/server .
COPY --from=build /src/templates templates
ENTRYPOINT ["/app/server"]
