# case: app=maven
FROM maven:3-eclipse-temurin-17 AS build
WORKDIR /src
COPY . .
RUN mvn -B package

FROM maven:3-eclipse-temurin-17
WORKDIR /app
COPY --from=build /src/target /app
CMD ["java", "-jar", "/app/shop.jar"]
