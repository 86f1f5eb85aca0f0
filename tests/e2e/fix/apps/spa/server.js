// Serves what was built.
import express from "express";

const app = express();
app.use(express.static("dist"));
app.listen(Number(process.env.PORT ?? 3000));
