FROM offcut-lines/alpine
RUN mkdir -p /opt/one/.git/objects /opt/one/.git/refs && echo "ref: refs/heads/main" > /opt/one/.git/HEAD && echo "[core]" > /opt/one/.git/config && echo x > /opt/one/.git/objects/x && echo x > /opt/one/.git/refs/x
COPY copied1/git /opt/copied1/.git
RUN mkdir -p /opt/two/.git/objects /opt/two/.git/refs && echo "ref: refs/heads/main" > /opt/two/.git/HEAD && echo "[core]" > /opt/two/.git/config && echo x > /opt/two/.git/objects/x && echo x > /opt/two/.git/refs/x
ENV A=b
WORKDIR /opt
RUN mkdir -p /opt/three/.git/objects /opt/three/.git/refs && echo "ref: refs/heads/main" > /opt/three/.git/HEAD && echo "[core]" > /opt/three/.git/config && echo x > /opt/three/.git/objects/x && echo x > /opt/three/.git/refs/x
CMD ["/bin/sh", "-c", "sleep 1"]
