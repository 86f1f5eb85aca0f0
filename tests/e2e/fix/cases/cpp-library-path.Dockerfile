# case: app=cpp
FROM gcc:12
WORKDIR /app
COPY . .
RUN mkdir -p lib bin && g++ -shared -fPIC -o lib/libgreet.so greet.cpp && g++ -o bin/server server.cpp -Llib -lgreet
ENV LD_LIBRARY_PATH=/app/lib
CMD ["bin/server"]
