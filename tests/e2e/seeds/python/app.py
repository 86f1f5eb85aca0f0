"""A service that says hello."""

import flask
import yaml

app = flask.Flask(__name__)


@app.route("/")
def hello():
    return yaml.safe_dump({"hello": "world"})
