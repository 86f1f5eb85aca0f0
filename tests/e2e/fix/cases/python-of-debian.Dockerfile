# case: app=flask
FROM debian:bookworm
RUN apt-get update && apt-get install -y --no-install-recommends gcc python3-flask
WORKDIR /app
COPY . .
CMD python3 -m flask run --host 0.0.0.0 --port ${PORT:-5000}
