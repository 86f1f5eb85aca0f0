# case: app=spa lock=npm outcome=refused
FROM node:20
WORKDIR /app
COPY . .
RUN npm ci && npm run build
CMD ["npm", "run", "preview"]
