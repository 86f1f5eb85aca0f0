# The image before any multi-stage build: everything on the full base.
FROM offcut-seed/node:20
WORKDIR /app
COPY package*.json ./
RUN npm ci
COPY . .
RUN npm run build
EXPOSE 3000
CMD ["node", "dist/server.js"]
