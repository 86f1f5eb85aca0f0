# case: app=flask
FROM python:3.11 AS wheels
COPY requirements.txt .
RUN pip wheel --wheel-dir /wheels -r requirements.txt

FROM python:3.11
COPY --from=wheels /wheels /wheels
COPY requirements.txt .
RUN pip install --no-index --find-links=/wheels -r requirements.txt
WORKDIR /app
COPY . .
ENV FLASK_APP=/app/app.py PYTHONUNBUFFERED=1
CMD ["sh", "-c", "flask run --host 0.0.0.0 --port $PORT"]
