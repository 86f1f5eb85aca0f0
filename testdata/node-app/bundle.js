// Bundles the compiled server and the packages it needs into one file.
const path = require("path");
const webpack = require("webpack");

webpack(
  {
    mode: "production",
    target: "node",
    entry: path.join(__dirname, "build/server.js"),
    output: { path: path.join(__dirname, "dist"), filename: "server.js" },
  },
  (error, stats) => {
    if (error || stats.hasErrors()) {
      console.error(error ?? stats.toString("errors-only"));
      process.exit(1);
    }
    console.log(stats.toString("minimal"));
  },
);
