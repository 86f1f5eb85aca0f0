# case: app=php
FROM debian:bookworm
RUN apt-get update && apt-get install -y php-cli php-mbstring git
WORKDIR /app
COPY . .
CMD php -S 0.0.0.0:$PORT
