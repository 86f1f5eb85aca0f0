# case: app=spa lock=npm to=nginx:1.22 left=root-user/uid-0
FROM nginx:1.22
RUN apt-get update && apt-get install -y nodejs npm
WORKDIR /app
COPY package*.json ./
RUN npm ci
COPY . .
RUN npm run build && rm -rf /usr/share/nginx/html/* && cp -r dist/* /usr/share/nginx/html/ \
 && rm /etc/nginx/conf.d/default.conf
COPY nginx.conf /etc/nginx/conf.d/shop.conf
