# case: app=js lock=npm
FROM node:20
WORKDIR /app
COPY . .
RUN npm install
HEALTHCHECK --start-period=1s CMD node -e "require('http').get('http://localhost:'+(process.env.PORT||3000), r => process.exit(r.statusCode === 200 ? 0 : 1))"
CMD ["node", "server.js"]
