# case: app=gradle to=eclipse-temurin:17-jre
FROM gradle:8-jdk17
WORKDIR /app
COPY . .
RUN gradle build --no-daemon
EXPOSE 8080
CMD ["java", "-jar", "build/libs/shop-all.jar"]
