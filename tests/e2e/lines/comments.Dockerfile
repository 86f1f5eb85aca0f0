# what it is

# and for whom
FROM offcut-lines/alpine

# the first
RUN true && \
    # in the middle
    mkdir -p /opt/one/.git/objects /opt/one/.git/refs && echo "ref: refs/heads/main" > /opt/one/.git/HEAD && echo "[core]" > /opt/one/.git/config && echo x > /opt/one/.git/objects/x && echo x > /opt/one/.git/refs/x \
    \
    && true

COPY \
  copied2/git \
  /opt/copied2/.git
RUN mkdir -p /opt/two/.git/objects /opt/two/.git/refs && echo "ref: refs/heads/main" > /opt/two/.git/HEAD && echo "[core]" > /opt/two/.git/config && echo x > /opt/two/.git/objects/x && echo x > /opt/two/.git/refs/x
