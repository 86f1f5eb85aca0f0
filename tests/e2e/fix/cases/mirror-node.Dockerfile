# case: app=node lock=npm to=mirror.gcr.io/library/node:20-slim
FROM mirror.gcr.io/library/node:20
WORKDIR /app
COPY package*.json ./
RUN npm ci
COPY . .
RUN npm run build
EXPOSE 3000
CMD ["node", "dist/server.js"]
