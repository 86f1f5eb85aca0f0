# case: app=state
FROM golang:1.22
RUN useradd --uid 1001 --create-home visits && mkdir /data && chown visits:visits /data
WORKDIR /app
COPY . .
RUN go build -o server .
ENV STATE_DIRECTORY=/data
USER visits
CMD ["./server"]
