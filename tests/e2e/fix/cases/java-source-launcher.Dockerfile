# case: app=java outcome=nothing reason="no build tool"
FROM eclipse-temurin:17-jdk
WORKDIR /app
COPY . .
CMD ["java", "Server.java"]
