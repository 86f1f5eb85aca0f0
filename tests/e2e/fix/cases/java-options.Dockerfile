# case: app=java
FROM eclipse-temurin:17-jdk
ENV JAVA_OPTS="-Xmx64m"
WORKDIR /srv
COPY . .
RUN javac Server.java && jar cfe app.jar Server *.class && rm *.class
CMD java $JAVA_OPTS -jar app.jar
