# case: app=node lock=npm
FROM node:20 AS builder
WORKDIR /app
COPY . .
RUN npm ci && npm run build

FROM node:20
WORKDIR /app
COPY --from=builder /app ./
CMD ["node", "dist/server.js"]
