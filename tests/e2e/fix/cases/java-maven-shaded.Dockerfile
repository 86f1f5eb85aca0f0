# case: app=maven to=eclipse-temurin:17-jre
FROM maven:3-eclipse-temurin-17 AS build
WORKDIR /usr/src/shop
COPY . .
RUN mvn -B -DskipTests -Pfat package && cp target/shop.jar /app.jar
ENTRYPOINT ["java", "-Xmx64m", "-jar", "/app.jar"]
