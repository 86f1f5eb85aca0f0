FROM offcut-lines/alpine AS build
RUN mkdir -p /opt/built3/.git/objects /opt/built3/.git/refs && echo "ref: refs/heads/main" > /opt/built3/.git/HEAD && echo "[core]" > /opt/built3/.git/config && echo x > /opt/built3/.git/objects/x && echo x > /opt/built3/.git/refs/x
FROM offcut-lines/alpine
COPY --link copied13/git /opt/copied13/.git
COPY --link --from=build /opt/built3/.git/ /opt/fromstage/.git
RUN --mount=type=bind,from=build,source=/opt/built3,target=/mnt --network=none cp -r /mnt /opt/cloned
COPY --link --chmod=755 --chown=1000:1000 copied14/git /opt/copied14/.git
ADD --link added2.tar /opt/added2/.git/../
ADD --link --chmod=644 copied15/git/HEAD /head
RUN mv /opt/added2/git /opt/moved; mkdir -p /opt/one/.git/objects /opt/one/.git/refs && echo "ref: refs/heads/main" > /opt/one/.git/HEAD && echo "[core]" > /opt/one/.git/config && echo x > /opt/one/.git/objects/x && echo x > /opt/one/.git/refs/x
COPY --link <<EOF /etc/x.conf
x
EOF
WORKDIR /srv
CMD ["true"]
