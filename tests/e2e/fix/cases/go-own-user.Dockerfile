# case: app=go
FROM golang:1.22
RUN groupadd --gid 4711 shop && useradd --uid 4711 --gid shop --create-home shop
WORKDIR /home/shop
COPY --chown=shop:shop . .
RUN go build -o server . && chown shop:shop server
USER shop
CMD ["/home/shop/server"]
