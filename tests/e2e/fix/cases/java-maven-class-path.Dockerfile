# case: app=maven
FROM maven:3-eclipse-temurin-17
WORKDIR /app
COPY . .
RUN mvn -B package
ENTRYPOINT []
CMD ["java", "-cp", "target/classes:target/lib/*", "org.example.Server"]
