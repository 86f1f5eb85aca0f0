from offcut-lines/alpine as x
run mkdir -p /opt/one/.git/objects /opt/one/.git/refs && echo "ref: refs/heads/main" > /opt/one/.git/HEAD && echo "[core]" > /opt/one/.git/config && echo x > /opt/one/.git/objects/x && echo x > /opt/one/.git/refs/x
copy --chown=1000:1000 copied5/git /opt/copied5/.git
add added1.tar /opt/added1/.x/
run mv /opt/added1/.x/git /opt/moved; rm -r /opt/added1; mkdir -p /opt/two/.git/objects /opt/two/.git/refs && echo "ref: refs/heads/main" > /opt/two/.git/HEAD && echo "[core]" > /opt/two/.git/config && echo x > /opt/two/.git/objects/x && echo x > /opt/two/.git/refs/x
