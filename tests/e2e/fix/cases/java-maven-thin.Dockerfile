# case: app=maven to=eclipse-temurin:17-jre
FROM maven:3-eclipse-temurin-17
WORKDIR /app
COPY . .
RUN mvn -B package
CMD ["java", "-jar", "target/shop.jar"]
