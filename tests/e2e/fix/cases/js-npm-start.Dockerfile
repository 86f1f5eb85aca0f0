# case: app=js lock=npm
FROM node:20
ENV NODE_ENV=development
WORKDIR /usr/src/app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
EXPOSE 3000
CMD ["npm", "start"]
