# case: app=node to=node:20-alpine lock=npm
FROM node:20-alpine
WORKDIR /usr/src/app
COPY . .
RUN npm install && npm run build
CMD npm start
