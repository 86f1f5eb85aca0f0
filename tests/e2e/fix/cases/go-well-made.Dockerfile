# case: app=go outcome=nothing quick
FROM golang:1.22 AS build
WORKDIR /src
COPY . .
RUN CGO_ENABLED=0 go build -o /hello .

FROM gcr.io/distroless/static-debian12
WORKDIR /srv
COPY --from=build /src/templates ./templates
COPY --from=build /hello /hello
USER 65532:65532
ENTRYPOINT ["/hello"]
