package org.example;

import com.google.gson.Gson;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.util.Map;

/** A service that answers with what a library makes of a resource. */
public class Server {
    static String answer() throws Exception {
        try (var greeting = Server.class.getResourceAsStream("/greeting.txt")) {
            return new Gson().toJson(Map.of("hello", new String(greeting.readAllBytes()).strip()));
        }
    }

    public static void main(String[] words) throws Exception {
        var port = System.getenv().getOrDefault("PORT", "8080");
        var server = HttpServer.create(new InetSocketAddress(Integer.parseInt(port)), 0);
        var answer = answer().getBytes();
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.start();
    }
}
