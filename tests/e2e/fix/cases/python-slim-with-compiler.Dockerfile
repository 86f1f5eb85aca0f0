# case: app=python
FROM python:3.11-slim
RUN apt-get update && apt-get install -y --no-install-recommends gcc libpq-dev libc6-dev python3-dev
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --no-binary psycopg2 -r requirements.txt
COPY . .
ENTRYPOINT ["python3"]
CMD ["app.py"]
