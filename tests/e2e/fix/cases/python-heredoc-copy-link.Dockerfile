# case: app=python newer
FROM python:3.11-slim
COPY --link requirements.txt /app/
RUN <<EOF
set -e
apt-get update
apt-get install -y --no-install-recommends gcc libpq-dev libc6-dev python3-dev
pip install --no-cache-dir --no-binary psycopg2 -r /app/requirements.txt
EOF
WORKDIR /app
COPY --link . .
COPY --chmod=755 <<"EOF" /usr/local/bin/start
#!/bin/sh
cd /app && exec python3 app.py
EOF
CMD ["start"]
