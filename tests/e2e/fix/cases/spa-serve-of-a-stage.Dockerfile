# case: app=spa lock=npm
FROM node:20 AS build
WORKDIR /app
COPY . .
RUN npm ci && npm run build

FROM node:20
RUN npm install -g serve@14
WORKDIR /app
COPY --from=build /app /app
ENTRYPOINT ["serve"]
CMD ["--single", "dist"]
