# case: app=go outcome=refused reason="brought"
FROM registry.example.com/golang:1.22
WORKDIR /app
COPY . .
RUN go build -o server .
EXPOSE 8080
CMD ["./server"]
