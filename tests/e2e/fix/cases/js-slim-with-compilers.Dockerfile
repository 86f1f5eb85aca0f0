# case: app=js lock=npm
FROM node:20-slim
RUN apt-get update && apt-get install -y python3 make g++ git && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY . .
RUN npm ci --omit=dev
ENTRYPOINT ["node", "server.js"]
