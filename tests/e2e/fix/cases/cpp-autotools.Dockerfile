# case: app=cpp
FROM gcc:12
WORKDIR /usr/src/server
ADD . .
RUN autoreconf --install && ./configure && make && make install
CMD ["server"]
