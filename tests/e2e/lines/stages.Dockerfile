FROM offcut-lines/alpine AS build
RUN mkdir -p /opt/built1/.git/objects /opt/built1/.git/refs && echo "ref: refs/heads/main" > /opt/built1/.git/HEAD && echo "[core]" > /opt/built1/.git/config && echo x > /opt/built1/.git/objects/x && echo x > /opt/built1/.git/refs/x
RUN mkdir -p /opt/left/.git/objects /opt/left/.git/refs && echo "ref: refs/heads/main" > /opt/left/.git/HEAD && echo "[core]" > /opt/left/.git/config && echo x > /opt/left/.git/objects/x && echo x > /opt/left/.git/refs/x

FROM offcut-lines/alpine AS other
COPY --from=build /opt/built1 /opt/between

FROM offcut-lines/alpine
COPY --from=build /opt/built1/.git/ /opt/fromstage/.git
COPY --from=other /opt/between/.git/ /opt/fromother/.git
RUN mkdir -p /opt/one/.git/objects /opt/one/.git/refs && echo "ref: refs/heads/main" > /opt/one/.git/HEAD && echo "[core]" > /opt/one/.git/config && echo x > /opt/one/.git/objects/x && echo x > /opt/one/.git/refs/x
EXPOSE 80 443/udp
USER 1000:1000
