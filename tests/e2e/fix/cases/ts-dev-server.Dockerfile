# case: app=node outcome=refused reason=stage lock=npm
FROM node:20
WORKDIR /app
COPY . .
RUN npm ci && npm run build
CMD ["npm", "run", "dev"]
