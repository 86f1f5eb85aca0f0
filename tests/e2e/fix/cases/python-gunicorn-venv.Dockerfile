# case: app=python
FROM python:3.11
RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc libpq-dev python3-dev python3-venv \
 && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/venv
ENV PATH="/opt/venv/bin:$PATH"
WORKDIR /srv/app
COPY requirements.txt .
RUN pip install --no-binary psycopg2 -r requirements.txt
COPY . .
EXPOSE 8000
CMD gunicorn -b 0.0.0.0:${PORT:-8000} app:app
