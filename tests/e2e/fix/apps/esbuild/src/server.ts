import express from "express";

const app = express();
app.get("/", (_request, response) => {
  response.send("hello from a bundle");
});
app.listen(Number(process.env.PORT ?? 3000));
