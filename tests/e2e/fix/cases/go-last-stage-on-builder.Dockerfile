# case: app=go
FROM golang:1.22 AS compile
WORKDIR /src
COPY . .
RUN go build -o /out/hello .

# Everything is at hand here.
FROM golang:1.22 AS production
COPY --from=compile /src /src
COPY --from=compile /out/hello /usr/local/bin/
WORKDIR /src
USER nobody
CMD ["hello"]
