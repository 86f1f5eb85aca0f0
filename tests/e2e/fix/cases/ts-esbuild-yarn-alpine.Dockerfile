# case: app=esbuild lock=yarn
FROM node:20-alpine
WORKDIR /srv
RUN npm install -g yarn@1.22.22
COPY package.json yarn.lock ./
RUN yarn --frozen-lockfile
COPY src src
RUN yarn build
CMD node dist/server.js
