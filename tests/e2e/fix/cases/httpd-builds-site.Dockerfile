# case: app=spa lock=npm to=httpd:2.4 left=root-user/uid-0
FROM httpd:2.4
RUN apt-get update && apt-get install -y nodejs npm
COPY . /src
RUN cd /src && npm ci && npm run build && cp -r dist/. /usr/local/apache2/htdocs/
RUN sed -i 's/^Listen 80$/Listen 18321/' /usr/local/apache2/conf/httpd.conf
