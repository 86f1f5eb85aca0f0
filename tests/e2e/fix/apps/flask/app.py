"""A service in plain Python, with a template."""

import flask

app = flask.Flask(__name__)


@app.route("/")
def hello():
    return flask.render_template("page.txt")
