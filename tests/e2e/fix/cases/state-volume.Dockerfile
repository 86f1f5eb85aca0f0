# case: app=state left=root-user/uid-0
FROM golang:1.22
WORKDIR /app
COPY . .
RUN CGO_ENABLED=0 go build -o /usr/local/bin/visits .
ENV STATE_DIRECTORY=/data
VOLUME ["/data"]
CMD ["visits"]
