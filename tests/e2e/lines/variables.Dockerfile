ARG FROM_TAG=latest
FROM offcut-lines/alpine:${FROM_TAG}
ARG WHERE=/opt
ENV DEST=$WHERE/copied3
COPY copied3/git $DEST/.git
ARG UNUSED
RUN mkdir -p /opt/one/.git/objects /opt/one/.git/refs && echo "ref: refs/heads/main" > /opt/one/.git/HEAD && echo "[core]" > /opt/one/.git/config && echo x > /opt/one/.git/objects/x && echo x > /opt/one/.git/refs/x
LABEL a="b c" d=e
RUN echo $DEST && mkdir -p /opt/two/.git/objects /opt/two/.git/refs && echo "ref: refs/heads/main" > /opt/two/.git/HEAD && echo "[core]" > /opt/two/.git/config && echo x > /opt/two/.git/objects/x && echo x > /opt/two/.git/refs/x
