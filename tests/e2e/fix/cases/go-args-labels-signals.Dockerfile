# case: app=go left=root-user/uid-0
FROM golang:1.22
ARG REVISION=unknown
ENV REVISION=$REVISION LOG=json
LABEL maintainer="team@example.org" \
      org.opencontainers.image.revision=$REVISION
MAINTAINER somebody
STOPSIGNAL SIGTERM
VOLUME /data
WORKDIR /srv
ADD . .
RUN set -eux; \
    # comments stand between the lines
    go vet . ; \
    go build -o server
EXPOSE 80 443
CMD exec ./server
