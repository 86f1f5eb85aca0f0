# case: app=addon
FROM node:20-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential python3 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /home/node/app
COPY . .
RUN npm install --omit=dev
USER node
CMD ["node", "server.js"]
