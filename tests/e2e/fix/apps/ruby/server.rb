# A service on WEBrick.
require "webrick"

server = WEBrick::HTTPServer.new(Port: Integer(ENV.fetch("PORT", "8080")))
server.mount_proc("/") { |_request, response| response.body = "hello from ruby" }
server.start
