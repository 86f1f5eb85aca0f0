# case: app=go
FROM golang:1.22
WORKDIR /app
COPY . .
RUN go build -o server . \
 && printf '#!/bin/sh\nset -e\nexec ./server "$@"\n' > entrypoint.sh \
 && chmod +x entrypoint.sh
ENTRYPOINT ["./entrypoint.sh"]
