# case: app=spa lock=npm to=nginx:1.22 left=root-user/uid-0
# The page is served where it was built.
FROM nginx:1.22
RUN apt-get update && apt-get install -y nodejs npm && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY . .
RUN npm ci && npm run build
RUN sed 's#/usr/share/nginx/html#/app/dist#' nginx.conf > /etc/nginx/conf.d/default.conf
