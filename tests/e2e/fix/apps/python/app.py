"""A service on an extension that is compiled when it is installed, against a library of the distribution."""

import os

import flask
import psycopg2

app = flask.Flask(__name__)


@app.route("/")
def hello():
    return f"hello from libpq {psycopg2.__libpq_version__ // 10000} {flask.render_template('page.txt')}"


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=int(os.environ.get("PORT", "8000")))
