FROM offcut-lines/alpine
RUN mkdir -p /opt/one/.git/objects /opt/one/.git/refs && echo "ref: refs/heads/main" > /opt/one/.git/HEAD && echo "[core]" > /opt/one/.git/config && echo x > /opt/one/.git/objects/x && echo x > /opt/one/.git/refs/x
SHELL ["/bin/ash", "-e", "-c"]
RUN mkdir -p /opt/two/.git/objects /opt/two/.git/refs && echo "ref: refs/heads/main" > /opt/two/.git/HEAD && echo "[core]" > /opt/two/.git/config && echo x > /opt/two/.git/objects/x && echo x > /opt/two/.git/refs/x
RUN ["/bin/sh", "-c", "mkdir -p /opt/three/.git/objects /opt/three/.git/refs && echo ref: refs/heads/main > /opt/three/.git/HEAD && echo [core] > /opt/three/.git/config && echo x > /opt/three/.git/objects/x && echo x > /opt/three/.git/refs/x"]
HEALTHCHECK --interval=5s CMD true
