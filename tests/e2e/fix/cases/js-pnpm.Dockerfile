# case: app=js lock=pnpm
FROM node:20
RUN npm i -g pnpm@9.15.9
WORKDIR /app
COPY pnpm-lock.yaml package.json ./
RUN pnpm fetch
COPY . ./
RUN pnpm install --offline --frozen-lockfile
CMD ["node", "server.js"]
