FROM offcut-lines/alpine
ENV Y=2
COPY <<HEAD <<config copied11/git /opt/copied11/.git/
ref: refs/heads/$Y
HEAD
[core]
	repositoryformatversion = 0
config
COPY <<-"EOF" /usr/bin/x
	#!/bin/sh
	echo "$HOME"
	EOF
RUN mkdir -p /opt/one/.git/objects /opt/one/.git/refs && echo "ref: refs/heads/main" > /opt/one/.git/HEAD && echo "[core]" > /opt/one/.git/config && echo x > /opt/one/.git/objects/x && echo x > /opt/one/.git/refs/x
COPY --chmod=755 <<EOF /usr/bin/y
#!/bin/sh
EOF
COPY --chown=1000:1000 --chmod=700 <<HEAD copied12/git /opt/copied12/.git/
ref: refs/heads/other
HEAD
RUN mkdir -p /opt/two/.git/objects /opt/two/.git/refs && echo "ref: refs/heads/main" > /opt/two/.git/HEAD && echo "[core]" > /opt/two/.git/config && echo x > /opt/two/.git/objects/x && echo x > /opt/two/.git/refs/x
ADD <<one /etc/one.conf
a = b
one
ENTRYPOINT ["/usr/bin/x"]
