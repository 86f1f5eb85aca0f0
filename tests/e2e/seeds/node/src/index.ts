import express from "express";
import pino from "pino";

import { total } from "./orders";

const log = pino();
const app = express();

app.get("/total", (_request, response) => {
  response.json({ total: total([{ price: 3, count: 4 }]) });
});

const port = Number(process.env.PORT ?? 3000);
app.listen(port, () => log.info({ port }, "listening"));
