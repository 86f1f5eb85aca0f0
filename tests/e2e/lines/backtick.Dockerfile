# escape=`
FROM offcut-lines/alpine
RUN true `
    && mkdir -p /opt/one/.git/objects /opt/one/.git/refs && echo "ref: refs/heads/main" > /opt/one/.git/HEAD && echo "[core]" > /opt/one/.git/config && echo x > /opt/one/.git/objects/x && echo x > /opt/one/.git/refs/x
COPY copied9/git /opt/copied9/.git
