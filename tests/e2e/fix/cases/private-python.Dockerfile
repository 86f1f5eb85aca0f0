# case: app=python to=registry.example.com/team/python:1 left=root-user/uid-0
FROM registry.example.com/team/python:1
RUN apt-get update && apt-get install -y --no-install-recommends gcc libpq-dev libc6-dev python3-dev
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --no-binary psycopg2 -r requirements.txt
COPY . .
ENTRYPOINT ["python3"]
CMD ["app.py"]
