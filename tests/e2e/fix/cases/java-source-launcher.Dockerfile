# case: app=java outcome=nothing
FROM eclipse-temurin:17-jdk
WORKDIR /app
COPY . .
CMD ["java", "Server.java"]
