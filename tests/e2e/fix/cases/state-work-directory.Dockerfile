# case: app=state
FROM golang:1.22
RUN groupadd -r app && useradd -r -g app -d /home/app app
WORKDIR /home/app
COPY . .
RUN go build -o server . && chown -R app:app /home/app
ENV STATE_DIRECTORY=.
USER app
CMD ["./server"]
