# case: app=java
FROM eclipse-temurin:17-jdk
WORKDIR /opt/app
COPY . .
RUN javac Server.java && printf '#!/bin/sh\nexec java -cp /opt/app Server\n' > run.sh && chmod +x run.sh
CMD ["./run.sh"]
