# case: app=java
FROM eclipse-temurin:17-jdk
COPY . /app
WORKDIR /app
RUN javac -d classes Server.java
ENTRYPOINT ["java", "-Xmx64m", "-cp", "classes", "Server"]
