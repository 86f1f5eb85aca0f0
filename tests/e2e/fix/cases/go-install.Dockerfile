# case: app=go
ARG VERSION=1.22
FROM golang:${VERSION}
WORKDIR /go/src/hello
COPY . .
RUN go install .
CMD ["hello"]
