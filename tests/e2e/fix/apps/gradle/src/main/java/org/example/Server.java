package org.example;

import com.google.gson.Gson;
import com.sun.net.httpserver.HttpServer;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.util.Collections;

/** A service that answers with what a library makes of a resource; Gradle of Debian compiles Java 8. */
public class Server {
    public static void main(String[] words) throws Exception {
        byte[] answer;
        try (BufferedReader greeting = new BufferedReader(
                new InputStreamReader(Server.class.getResourceAsStream("/greeting.txt")))) {
            answer = new Gson().toJson(Collections.singletonMap("hello", greeting.readLine())).getBytes();
        }
        String port = System.getenv().getOrDefault("PORT", "8080");
        HttpServer server = HttpServer.create(new InetSocketAddress(Integer.parseInt(port)), 0);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.start();
    }
}
