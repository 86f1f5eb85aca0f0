# case: app=spa lock=npm to=debian:bookworm-slim left=root-user/uid-0
FROM node:20 AS build
WORKDIR /app
COPY . .
RUN npm ci && npm run build

FROM debian:bookworm
RUN apt-get update && apt-get install -y nginx-light build-essential
COPY nginx.conf /etc/nginx/sites-enabled/default
COPY --from=build /app/dist /usr/share/nginx/html
CMD ["nginx", "-g", "daemon off;"]
