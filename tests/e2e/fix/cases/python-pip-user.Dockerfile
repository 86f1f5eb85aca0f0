# case: app=flask
FROM python:3.11
RUN useradd --create-home --uid 1000 app
USER app
WORKDIR /home/app
ENV PATH=/home/app/.local/bin:$PATH
COPY --chown=app:app requirements.txt .
RUN pip install --user -r requirements.txt
COPY --chown=app:app . .
ENV FLASK_APP=app.py
CMD flask run --host 0.0.0.0 --port $PORT
