# case: app=java outcome=refused
FROM eclipse-temurin:17-jdk
WORKDIR /app
COPY . .
CMD ["java", "Server.java"]
