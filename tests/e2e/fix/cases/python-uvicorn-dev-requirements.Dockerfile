# case: app=fastapi
FROM python:3.11
WORKDIR /app
COPY . .
RUN pip install -r requirements-dev.txt
CMD exec uvicorn app:app --host 0.0.0.0 --port $PORT
