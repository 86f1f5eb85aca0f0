"""A service on a framework with compiled parts."""

import fastapi

app = fastapi.FastAPI()


@app.get("/")
def hello():
    return {"hello": "fastapi"}
