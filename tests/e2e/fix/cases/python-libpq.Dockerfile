# case: app=python to=python:3.11-slim quick ignore
FROM python:3.11
RUN apt-get update && apt-get install -y gcc libpq-dev python3-dev
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-binary psycopg2 -r requirements.txt
COPY . .
CMD ["python3", "app.py"]
