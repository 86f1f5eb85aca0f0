# A service without a framework: what it says comes from a gem with an extension.
require "greet"
require "socket"

server = TCPServer.new("0.0.0.0", Integer(ENV.fetch("PORT", "8080")))
loop do
  client = server.accept
  nil until client.gets.to_s.strip.empty?
  text = "hello from a gem and sqlite #{Greet.version}"
  client.write("HTTP/1.1 200 OK\r\nContent-Length: #{text.bytesize}\r\nConnection: close\r\n\r\n#{text}")
  client.close
end
