# case: app=fastapi
FROM python:3.11 AS build
RUN apt-get update && apt-get install -y python3-venv
RUN python3 -m venv /venv && /venv/bin/pip install fastapi uvicorn

FROM python:3.11
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH
WORKDIR /app
COPY app.py .
CMD ["sh", "-c", "exec uvicorn app:app --host 0.0.0.0 --port $PORT"]
