# case: app=java to=eclipse-temurin:17-jre ignore
FROM eclipse-temurin:17-jdk
WORKDIR /app
COPY . .
RUN mkdir -p target/classes && javac -d target/classes Server.java && jar --create --file target/server.jar --main-class Server -C target/classes .
CMD ["java", "-jar", "target/server.jar"]
