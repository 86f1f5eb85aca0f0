# case: app=maven to=eclipse-temurin:17-jre quick
FROM maven:3-eclipse-temurin-17
WORKDIR /app
COPY pom.xml .
COPY src ./src
RUN mvn -B -Pfat package
EXPOSE 8080
CMD ["java", "-jar", "target/shop.jar"]
