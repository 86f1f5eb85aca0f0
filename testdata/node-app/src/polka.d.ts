// polka 0.5 carries no types of its own; what the server uses of it.
declare module "polka" {
  import { IncomingMessage, ServerResponse } from "http";

  type Handler = (request: IncomingMessage & { params: Record<string, string> }, response: ServerResponse) => void;

  interface App {
    get(path: string, handler: Handler): App;
    listen(port: number, ready: () => void): App;
  }

  export default function polka(): App;
}
