# case: app=go outcome=refused reason=ONBUILD
FROM golang:1.22
WORKDIR /app
COPY . .
RUN go build -o server .
ONBUILD COPY config /app/config
CMD ["./server"]
