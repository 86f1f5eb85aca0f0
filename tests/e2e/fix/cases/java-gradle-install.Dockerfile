# case: app=gradle to=eclipse-temurin:17-jre
FROM gradle:8-jdk17
COPY --chown=gradle:gradle . /home/gradle/src
WORKDIR /home/gradle/src
RUN gradle installDist --no-daemon
ENTRYPOINT ["build/install/shop/bin/shop"]
