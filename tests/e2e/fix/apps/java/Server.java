import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;

/** A service that reads a file beside it. */
public class Server {
    public static void main(String[] words) throws Exception {
        var port = System.getenv().getOrDefault("PORT", "8080");
        var greeting = Files.readString(Path.of("config/greeting.txt")).strip();
        var server = HttpServer.create(new InetSocketAddress(Integer.parseInt(port)), 0);
        server.createContext("/", exchange -> {
            var answer = (greeting + " from a jar\n").getBytes();
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.start();
    }
}
