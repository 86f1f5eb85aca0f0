# case: app=esbuild lock=npm outcome=refused
FROM node:20
WORKDIR /app
COPY . .
RUN npm ci
CMD ["npx", "tsx", "src/server.ts"]
