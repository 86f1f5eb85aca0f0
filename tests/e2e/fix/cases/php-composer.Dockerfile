# case: app=composer to=debian:bookworm-slim quick
FROM debian:bookworm
RUN apt-get update && apt-get install -y --no-install-recommends php-cli composer git unzip
WORKDIR /app
COPY composer.json composer.lock ./
COPY packages packages
RUN composer install --no-interaction --optimize-autoloader
COPY . .
CMD php -S 0.0.0.0:$PORT -t public
