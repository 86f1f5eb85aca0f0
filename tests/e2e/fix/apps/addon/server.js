// A service whose answer comes from a native addon.
const http = require("node:http");
const { greet } = require("bindings")("greet");

http.createServer((_request, response) => response.end(greet())).listen(Number(process.env.PORT ?? 3000));
