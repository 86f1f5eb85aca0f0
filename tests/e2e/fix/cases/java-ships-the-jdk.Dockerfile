# case: app=java
FROM eclipse-temurin:17-jdk AS build
WORKDIR /src
COPY . .
RUN javac -d classes Server.java && jar --create --file app.jar --main-class Server -C classes .

FROM eclipse-temurin:17-jdk
WORKDIR /app
COPY --from=build /src/ ./
ENTRYPOINT ["java", "-jar", "app.jar"]
