# case: app=phpext to=php:8.2-cli stays left=root-user/uid-0
FROM php:8.2-cli
RUN apt-get update && apt-get install -y libpq-dev git unzip cmake && docker-php-ext-install pgsql
WORKDIR /app
COPY . .
CMD php -S 0.0.0.0:$PORT
