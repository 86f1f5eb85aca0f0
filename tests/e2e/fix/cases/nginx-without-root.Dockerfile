# case: app=spa lock=npm quick to=nginx:1.22
FROM nginx:1.22
RUN apt-get update && apt-get install -y --no-install-recommends nodejs npm
WORKDIR /src
COPY . .
RUN npm ci && npm run build && cp -r dist/. /usr/share/nginx/html/
COPY nginx.conf /etc/nginx/conf.d/default.conf
RUN sed -i '/^user/d' /etc/nginx/nginx.conf \
 && touch /var/run/nginx.pid \
 && chown -R www-data:www-data /var/run/nginx.pid /var/lib/nginx /var/log/nginx /usr/share/nginx/html
EXPOSE 18321
USER www-data
