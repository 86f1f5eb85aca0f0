// A service that needs no build, and whose developers need tools.
const express = require("express");

const app = express();
app.get("/", (_request, response) => response.send("hello from express"));
app.listen(Number(process.env.PORT ?? 3000));
