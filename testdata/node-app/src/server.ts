import { ServerResponse } from "http";

import polka from "polka";

import { all, find } from "./stock";

const port = Number(process.env.PORT ?? 8080);

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

polka()
  .get("/healthz", (_request, response) => send(response, 200, { ok: true }))
  .get("/articles", (_request, response) => send(response, 200, all()))
  .get("/articles/:id", (request, response) => {
    const article = find(request.params.id);
    send(response, article ? 200 : 404, article ?? { error: "no such article" });
  })
  .listen(port, () => console.log(`shop-api listens on ${port}`));
