# case: app=node
FROM node:20
RUN npm install --global yarn@1.22.22
WORKDIR /app
COPY package.json ./
RUN yarn install
COPY . .
RUN yarn build
CMD ["node", "dist/index.js"]
