# case: app=js lock=npm
FROM node:20
WORKDIR /app
COPY package.json ./
RUN npm install --omit=dev --no-audit && npm cache clean --force
COPY server.js .
USER 1000
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["server.js"]
