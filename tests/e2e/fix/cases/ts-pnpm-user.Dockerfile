# case: app=node
FROM node:20
RUN npm install --global pnpm@9
USER node
WORKDIR /home/node/app
COPY --chown=node:node package.json ./
RUN pnpm install
COPY --chown=node:node . .
RUN pnpm run build
CMD ["node", "dist/index.js"]
