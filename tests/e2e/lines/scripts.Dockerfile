FROM offcut-lines/alpine
RUN <<EOF
set -e
mkdir -p /opt/one/.git/objects /opt/one/.git/refs && echo "ref: refs/heads/main" > /opt/one/.git/HEAD && echo "[core]" > /opt/one/.git/config && echo x > /opt/one/.git/objects/x && echo x > /opt/one/.git/refs/x
EOF
RUN true
RUN <<-"END" sh -e
	# a comment of the script
	mkdir -p /opt/two/.git/objects /opt/two/.git/refs && echo "ref: refs/heads/main" > /opt/two/.git/HEAD && echo "[core]" > /opt/two/.git/config && echo x > /opt/two/.git/objects/x && echo x > /opt/two/.git/refs/x
	echo \
	  "$HOME"
	END
RUN <<EOF
#!/bin/sh
mkdir -p /opt/three/.git/objects /opt/three/.git/refs && echo "ref: refs/heads/main" > /opt/three/.git/HEAD && echo "[core]" > /opt/three/.git/config && echo x > /opt/three/.git/objects/x && echo x > /opt/three/.git/refs/x
EOF
RUN cat <<a > /a && cat <<b > /b && mkdir -p /opt/four/.git/objects /opt/four/.git/refs && echo "ref: refs/heads/main" > /opt/four/.git/HEAD && echo "[core]" > /opt/four/.git/config && echo x > /opt/four/.git/objects/x && echo x > /opt/four/.git/refs/x
first
a
second
b
RUN --mount=type=bind,target=/context <<EOF
ls /context
mkdir -p /opt/eight/.git/objects /opt/eight/.git/refs && echo "ref: refs/heads/main" > /opt/eight/.git/HEAD && echo "[core]" > /opt/eight/.git/config && echo x > /opt/eight/.git/objects/x && echo x > /opt/eight/.git/refs/x
EOF
ARG X=1
ENV Y=2
RUN <<'EOF'
mkdir -p /opt/five/.git/objects /opt/five/.git/refs && echo "ref: refs/heads/main" > /opt/five/.git/HEAD && echo "[core]" > /opt/five/.git/config && echo x > /opt/five/.git/objects/x && echo x > /opt/five/.git/refs/x
EOF
RUN --mount=type=cache,target=/var/cache/x --mount=type=bind,target=/context <<EOF
ls /context
mkdir -p /opt/six/.git/objects /opt/six/.git/refs && echo "ref: refs/heads/main" > /opt/six/.git/HEAD && echo "[core]" > /opt/six/.git/config && echo x > /opt/six/.git/objects/x && echo x > /opt/six/.git/refs/x
EOF
SHELL ["/bin/ash", "-e", "-c"]
RUN <<EOF
mkdir -p /opt/seven/.git/objects /opt/seven/.git/refs && echo "ref: refs/heads/main" > /opt/seven/.git/HEAD && echo "[core]" > /opt/seven/.git/config && echo x > /opt/seven/.git/objects/x && echo x > /opt/seven/.git/refs/x
EOF
CMD ["/bin/sh"]
