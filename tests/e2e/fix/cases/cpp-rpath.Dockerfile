# case: app=cpp
FROM gcc:12
WORKDIR /app
COPY . .
RUN g++ -shared -fPIC -o libgreet.so greet.cpp \
 && g++ -o server server.cpp -L. -lgreet -Wl,-rpath,/app
CMD ["/app/server"]
