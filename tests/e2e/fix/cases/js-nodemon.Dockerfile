# case: app=js outcome=refused reason=stage
FROM node:20
WORKDIR /app
COPY . .
RUN npm install && npm install --global nodemon@3
CMD ["nodemon", "server.js"]
